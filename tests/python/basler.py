"""pylon's camera emulator for tests: cameras 0815-0000 and 0815-0001, over rings of ours."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

os.environ["PYLON_CAMEMU"] = "2"  # read when pypylon is imported, by our processes too
pytest.importorskip("pypylon.pylon", reason="pypylon is not installed (extra 'pylon')")

from fastpose import _core
from fastpose.hosts.common import StopFlag
from fastpose.hosts.pylon import BaslerGrabber
from fastpose.hosts.pylon_lines import LineServer
from fastpose.hosts.pylon_options import PylonOptions, PylonSettings

SERIAL = "0815-0000"
_names = iter(range(1_000_000))


def emulated(**settings: Any) -> PylonSettings:
    """A small fast camera of the emulator."""
    defaults = {"serial": SERIAL, "size": (640, 480), "exposure_us": 1000.0, "rate_hz": 200.0}
    return PylonSettings(emulated=True, **{**defaults, **settings})


def shared_name() -> str:
    """A name for shared memory of this process."""
    return f"/fastpose-{os.getpid()}-test-{next(_names)}-{time.monotonic_ns()}"


def make_ring(**options: Any) -> _core.Ring:
    """A ring as the engine makes it for such a camera; nothing is recorded."""
    defaults = {"slots": 16, "width": 640, "height": 480, "recorder": False, "producer_slots": 8}
    return _core.Ring.create(shared_name(), **{**defaults, **options})


def wait_until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Until it is true; fails after the timeout, which only a hang takes."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


class Grabbing:
    """A grabber on a thread of its own, as its process runs it."""

    def __init__(self, grabber: BaslerGrabber, ring: _core.Ring) -> None:
        self.grabber, self.ring = grabber, ring
        self.summary = ""
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def feature(self, name: str, value: Any = "execute") -> None:
        """Set a feature of the camera while it grabs, or run it."""
        self.grabber.camera.nodes.set_feature(name, value)

    def stop(self) -> None:
        self.ring.request_stop()
        self._thread.join(60)
        assert not self._thread.is_alive()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def take(self) -> int:
        """The slot of the next frame; it is ours until it is released."""
        slot = -1
        deadline = time.monotonic() + 60
        while slot < 0:
            assert time.monotonic() < deadline and not self.ended, f"no frame came: {self.error!r}"
            slot = self.ring.take(100)
        return slot

    def skip(self, frames: int) -> None:
        for _ in range(frames):
            self.ring.release(self.take())

    def ledger(self) -> list[tuple[str, int, int]]:
        """What became of frames that did not go the whole way: fate, frame id, camera counter."""
        return list(iter(self.ring.next_ledger_entry, None))

    def _run(self) -> None:
        try:
            self.summary = self.grabber.grab()
        except Exception as error:
            self.error = error


def noting_stamps(running: Grabbing) -> list[_core.FrameStamps]:
    """Every frame's stamps from now on."""
    made: list[_core.FrameStamps] = []
    stamps = running.grabber._timing.stamps

    def note(result: object, received_ns: int) -> _core.FrameStamps:
        made.append(stamps(result, received_ns))
        return made[-1]

    running.grabber._timing.stamps = note
    return made


@contextmanager
def grabbing(
    settings: PylonSettings | None = None,
    ring: _core.Ring | None = None,
    *,
    reconnect: bool = False,
    lines: LineServer | None = None,
    spin_us: int = 0,
) -> Iterator[Grabbing]:
    """Within, an emulated camera grabs into a ring; every frame is offered (the source waits)."""
    ring = ring or make_ring(frames="every")
    options = PylonOptions(ring.name, "top", settings or emulated(), reconnect=reconnect, spin_us=spin_us)
    ring.start()
    running = Grabbing(BaslerGrabber(ring, options, stop=StopFlag(), lines=lines), ring)
    try:
        yield running
    finally:
        running.stop()
