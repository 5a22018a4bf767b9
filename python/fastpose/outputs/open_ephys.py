"""TTL lines of the Open Ephys GUI: text requests to its Network Events plugin over ZeroMQ.

The plugin takes ``TTL Line=<1-256> State=<0|1>`` and answers each request with a text.
"""

from __future__ import annotations

from typing import Any

from fastpose.config.beside import OpenEphysOutput
from fastpose.errors import OutputError
from fastpose.outputs import needs

__all__ = ["open"]


class OpenEphysLine:
    """One TTL line; waits for the answer, so that its delay is the GUI's."""

    def __init__(self, spec: OpenEphysOutput) -> None:
        self._zmq = needs("zmq", "zmq", "open_ephys")
        self._spec, self._level = spec, False
        self._socket = self._connect()

    def _connect(self) -> Any:
        socket = self._zmq.Context.instance().socket(self._zmq.REQ)
        socket.setsockopt(self._zmq.LINGER, 0)
        socket.setsockopt(self._zmq.RCVTIMEO, round(self._spec.timeout_ms))
        socket.connect(f"tcp://{self._spec.host}:{self._spec.port}")
        return socket

    def write(self, high: bool) -> None:
        """Send the state where it is a new one; OutputError where the GUI does not answer."""
        if high == self._level:
            return
        self._socket.send_string(f"TTL Line={self._spec.line} State={int(high)}")
        try:
            self._socket.recv_string()
        except self._zmq.Again:
            self._socket.close()  # a socket that waits for an answer takes no further request
            self._socket = self._connect()
            raise OutputError(
                f"the Open Ephys GUI at {self._spec.host}:{self._spec.port} did not answer within "
                f"{self._spec.timeout_ms:g} ms; is the Network Events plugin in its signal chain?"
            ) from None
        self._level = high

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def open(name: str, spec: OpenEphysOutput) -> OpenEphysLine:
    """The output `name`."""
    return OpenEphysLine(spec)
