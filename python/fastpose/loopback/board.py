"""The microcontroller that stamps both edges: our firmware, on a serial port or simulated."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from typing_extensions import Self

from fastpose import _core
from fastpose.errors import DeviceError
from fastpose.loopback.measure import BoardEdge

__all__ = ["Board", "firmware"]

EXPOSURE, OUTPUT = 0, 1  # indices of the input pins
POLL_S = 0.002


def firmware(name: str) -> Any:
    """A class of the engine that belongs to the firmware.

    Raises
    ------
    DeviceError
        This build has none.
    """
    found = getattr(_core, name, None)
    if found is None:
        raise DeviceError(f"this build of the engine has no {name}; build it anew: pip install .")
    return found


class Board:
    """``with Board(port, exposure_pin=2, output_pin=3) as board:``; edges are collected meanwhile.

    Parameters
    ----------
    port : str
        Device file of the board with the firmware of `firmware/`.
    exposure_pin, output_pin : int
        Inputs that see ExposureActive and the output.
    lines : list
        Output lines of the board itself, as `_core.FirmwareDevice` takes them.

    Raises
    ------
    OutputError
        The port cannot be opened, or no firmware answers there.
    """

    def __init__(
        self,
        port: str,
        *,
        exposure_pin: int,
        output_pin: int,
        lines: list[tuple[int, bool, bool, float]] | None = None,
    ) -> None:
        opened = _core.SerialPort(port)
        pins = [exposure_pin, output_pin]
        self.device = firmware("FirmwareDevice")(opened, lines=lines or [], input_pins=pins)
        self._over = threading.Event()
        self._edges: tuple[list[BoardEdge], list[BoardEdge]] = ([], [])
        self._numbers: list[int] = []
        self._thread = threading.Thread(target=self._collect, name="fp-loopback", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def exposures(self) -> list[BoardEdge]:
        """Rising edges of ExposureActive so far."""
        return list(self._edges[EXPOSURE])

    @property
    def outputs(self) -> list[BoardEdge]:
        """Rising edges of the output so far."""
        return list(self._edges[OUTPUT])

    @property
    def lost_edges(self) -> int:
        """Edges that the board saw and that did not arrive: gaps in its numbers."""
        steps = ((b - a) % 65536 for a, b in zip(self._numbers, self._numbers[1:], strict=False))
        return sum(step - 1 for step in steps if step > 1)

    @property
    def clock(self) -> dict[str, Any]:
        """The fit of the board's clock to the host's."""
        return dict(self.device.clock)

    def _collect(self) -> None:
        while True:
            over = self._over.is_set()  # asked first: what came until then is taken
            while (edge := self.device.next_input_edge()) is not None:
                host_ns, device_ns, pin, high, number = edge
                self._numbers.append(number)
                if high:
                    self._edges[pin].append(BoardEdge(host_ns, device_ns))
            if over:
                return
            self._over.wait(POLL_S)
