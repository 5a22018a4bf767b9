"""Datagrams: one for high, one for low."""

from __future__ import annotations

import socket

from fastpose.config.beside import UdpOutput

__all__ = ["open"]


class UdpLine:
    """A socket of its own; nobody tells whether a datagram arrives."""

    def __init__(self, spec: UdpOutput) -> None:
        self._bytes = {True: spec.high.encode("latin-1"), False: spec.low.encode("latin-1")}
        self._address = (spec.host, spec.port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def write(self, high: bool) -> None:
        """Send; returns when the system has it."""
        if self._bytes[high]:
            self._socket.sendto(self._bytes[high], self._address)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def open(name: str, spec: UdpOutput) -> UdpLine:
    """The output `name`."""
    return UdpLine(spec)
