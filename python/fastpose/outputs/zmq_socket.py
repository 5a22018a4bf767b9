"""One publishing socket for each endpoint of this process."""

from __future__ import annotations

from typing import Any

from fastpose.errors import OutputError
from fastpose.outputs import needs

__all__ = ["publisher"]

_LINGER_MS = 200
_sockets: dict[str, Any] = {}


def publisher(endpoint: str) -> Any:
    """The socket that is bound there; made at the first call.

    Raises
    ------
    OutputError
        pyzmq is missing, or the endpoint cannot be bound.
    """
    zmq = needs("zmq", "zmq", "zmq")
    if endpoint not in _sockets:
        socket = zmq.Context.instance().socket(zmq.PUB)
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            socket.close()
            raise OutputError(
                f"endpoint {endpoint} cannot be bound: {error}; is it another program's?"
            ) from None
        _sockets[endpoint] = socket
    return _sockets[endpoint]
