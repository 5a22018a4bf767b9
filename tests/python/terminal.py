"""The far end of a pseudo-terminal: the device that an output drives."""

from __future__ import annotations

import os
import select
from dataclasses import dataclass


@dataclass
class Terminal:
    """What a device sees that hangs on the serial port `path`."""

    far_end: int
    path: str
    received: bytes = b""

    def wait_for(self, byte: bytes) -> None:
        """Wait until the last byte received is this one."""
        while not self.received.endswith(byte):
            assert self.read(60.0), f"nothing more came after {self.received!r}"

    def read(self, wait_s: float = 0.0) -> bool:
        """Take in what there is; False if nothing came."""
        if not select.select([self.far_end], [], [], wait_s)[0]:
            return False
        try:
            new = os.read(self.far_end, 4096)
        except OSError:  # the port was closed and nothing is left to read
            return False
        self.received += new
        return bool(new)

    @property
    def level(self) -> bytes:
        """The last byte received by now."""
        while self.read():
            pass
        return self.received[-1:]
