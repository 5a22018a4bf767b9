"""What a frame costs through pylon, on its emulator, until it is published and until another process has it.

    python -m benches.grab.pylon [--frames 2000] [--size 1280x1024] [--rate-hz 200]

`measure` is for other benches. Camera's process and loop are awake, as in a session where the frame comes
when it is expected; pylon's emulator is too irregular to be expected. The clock starts just before the call
of pylon that has the frame.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from benches.latency.spans import summary

from fastpose import _core
from fastpose.config import Engine
from fastpose.hosts.common import now_ns
from fastpose.hosts.pylon import BaslerGrabber
from fastpose.hosts.pylon_options import PylonOptions, PylonSettings

__all__ = ["consume", "measure"]

SPIN_US = Engine().spin_us
_WARM_UP = 100  # frames that do not count


def measure(
    *,
    frames: int = 2000,
    size: tuple[int, int] = (1280, 1024),
    rate_hz: float = 200.0,
) -> dict[str, dict[str, float]]:
    """Grab so many frames of an emulated camera.

    Returns
    -------
    dict
        ``queued``: until the other process has it, ``retrieved`` and ``published``: of it; percentiles as
        `benches.latency.spans.summary`, all from the same moment: just before ``RetrieveResult``.

    Raises
    ------
    CameraError
        pypylon is not there.
    """
    ring = _core.Ring.create(
        f"/fastpose-{os.getpid()}-bench-{time.monotonic_ns()}", slots=32, width=size[0], height=size[1],
        frames="every", recorder=False, producer_slots=9,
    )  # fmt: skip
    settings = PylonSettings(serial="0815-0000", emulated=True, size=size, rate_hz=rate_hz, exposure_us=100.0)
    options = PylonOptions(ring.name, "bench", settings, spin_us=SPIN_US)
    probe = _Probe(ring, options, frames + _WARM_UP)
    command = [sys.executable, "-m", "benches.grab.pylon", "--consume", ring.name]
    command += ["--frames", str(frames + _WARM_UP)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as consumer:
        ring.start()
        probe.grab()
        said, _ = consumer.communicate(timeout=60)
    return _numbers(probe, json.loads(said), frames)


def consume(ring_name: str, frames: int) -> list[int]:
    """Take so many frames as a loop that is awake; returns when it had each, ns.

    Without real-time priority: the camera's own thread, which only an emulator has here, needs a core too.
    """
    ring = _core.Ring.attach(ring_name)
    return [int(at) for at in _core.take_times(ring, frames=frames)]


class _Probe(BaslerGrabber):
    """The grabber itself, with a look at the clock around what it does."""

    def __init__(self, ring: _core.Ring, options: PylonOptions, frames: int) -> None:
        super().__init__(ring, options)
        self._left, self._rehearsed_ns = frames, 0
        self.asked_ns: list[int] = []
        self.got_ns: list[int] = []
        self.published_ns: list[int] = []
        self._look_around(self.camera)

    def _look_around(self, camera: Any) -> None:
        def awake() -> Any:
            result = None
            while result is None:
                self._rehearse_now_and_then()
                self._begin_ns = now_ns()
                result = camera.poll()
            return result

        self._wait.take = awake  # type: ignore[method-assign]

    def _rehearse_now_and_then(self) -> None:
        """A session rehearses when it has woken up, at most so long before the frame."""
        if now_ns() - self._rehearsed_ns > SPIN_US * 1000:
            self._rehearsed_ns = now_ns()
            self._rehearse(self._rehearsed_ns)

    def _hand_on(self, result: Any, received_ns: int) -> None:
        super()._hand_on(result, received_ns)
        self.published_ns.append(now_ns())
        self.asked_ns.append(self._begin_ns)
        self.got_ns.append(received_ns)
        self._left -= 1

    def _stopping(self) -> bool:
        return self._left <= 0


def _numbers(probe: _Probe, dequeued_ns: list[int], frames: int) -> dict[str, dict[str, float]]:
    ends = {"queued": dequeued_ns, "retrieved": probe.got_ns, "published": probe.published_ns}
    return {name: _spread(probe.asked_ns, end_ns, frames) for name, end_ns in ends.items()}


def _spread(begin_ns: Sequence[int], end_ns: Sequence[int], frames: int) -> dict[str, float]:
    return summary(np.asarray(end_ns[-frames:]) - np.asarray(begin_ns[-frames:]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.grab.pylon", description=__doc__)
    parser.add_argument("--frames", type=int, default=2000, help="that count (2000)")
    parser.add_argument("--size", default="1280x1024", help="width and height, px (1280x1024)")
    parser.add_argument("--rate-hz", type=float, default=200.0)
    parser.add_argument("--consume", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.consume:
        print(json.dumps(consume(options.consume, options.frames)))
        return
    width, height = map(int, options.size.split("x"))
    found = measure(frames=options.frames, size=(width, height), rate_hz=options.rate_hz)
    for name, numbers in found.items():
        print(f"{name:<24} " + "  ".join(f"{key} {value:>8}" for key, value in numbers.items()))


if __name__ == "__main__":
    main()
