"""A ZeroMQ publisher: two parts, topic and JSON."""

from __future__ import annotations

from fastpose.config.beside import ZmqOutput
from fastpose.outputs.message import edge_message
from fastpose.outputs.zmq_socket import publisher

__all__ = ["open"]


class ZmqLine:
    """One topic."""

    def __init__(self, name: str, spec: ZmqOutput) -> None:
        self._name, self._topic = name, (spec.topic or name).encode()
        self._socket = publisher(spec.endpoint)

    def write(self, high: bool) -> None:
        """Publish; returns when ZeroMQ has queued it for its subscribers."""
        self._send(high, None)

    def write_value(self, value: float) -> None:
        """Publish the value."""
        self._send(value > 0, value)

    def _send(self, high: bool, value: float | None) -> None:
        self._socket.send_multipart([self._topic, edge_message(self._name, high=high, value=value).encode()])


def open(name: str, spec: ZmqOutput) -> ZmqLine:
    """The output `name`."""
    return ZmqLine(name, spec)
