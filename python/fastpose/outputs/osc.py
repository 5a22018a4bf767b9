"""Open Sound Control over UDP."""

from __future__ import annotations

from typing import Any

from fastpose.config.beside import OscOutput
from fastpose.outputs import needs

__all__ = ["open"]


class OscLine:
    """One address of one receiver."""

    def __init__(self, name: str, spec: OscOutput) -> None:
        client = needs("pythonosc.udp_client", "osc", "osc")
        self._client: Any = client.SimpleUDPClient(spec.host, spec.port)
        self._address = spec.address or f"/fastpose/{name}"

    def write(self, high: bool) -> None:
        """Send 1 or 0."""
        self._client.send_message(self._address, int(high))

    def write_value(self, value: float) -> None:
        """Send the value."""
        self._client.send_message(self._address, float(value))

    def close(self) -> None:
        """Close the socket."""
        self._client.close()


def open(name: str, spec: OscOutput) -> OscLine:
    """The output `name`."""
    return OscLine(name, spec)
