"""What a frame costs through pylon, on its emulator, until it is published and until another process has it.

    python -m benches.grab.pylon [--frames 2000] [--size 1280x1024] [--rate-hz 200]

`measure` is for other benches. The frame waits already when the clock starts (pylon's wait object
is signalled), so that the camera's own period is not in the numbers.
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

from fastpose import _core
from fastpose.hosts.common import now_ns
from fastpose.hosts.pylon import BaslerGrabber
from fastpose.hosts.pylon_options import PylonOptions, PylonSettings

__all__ = ["consume", "measure"]

_WARM_UP = 100  # frames that do not count


def measure(
    *, frames: int = 2000, size: tuple[int, int] = (1280, 1024), rate_hz: float = 200.0
) -> dict[str, Any]:
    """Grab so many frames of an emulated camera.

    Returns
    -------
    dict
        ``retrieve_us``, ``retrieve_to_publish_us`` and ``retrieve_to_dequeued_us``, each with n, p50, p99 and
        max; all from the same moment: just before ``RetrieveResult``.

    Raises
    ------
    CameraError
        pypylon is not there.
    """
    ring = _core.Ring.create(
        f"/fastpose-{os.getpid()}-bench-{time.monotonic_ns()}", slots=32, width=size[0], height=size[1],
        frames="every", recorder=False, producer_slots=8,
    )  # fmt: skip
    settings = PylonSettings(emulated=True, size=size, rate_hz=rate_hz, exposure_us=1000.0)
    probe = _Probe(ring, PylonOptions(ring.name, "bench", settings), frames + _WARM_UP)
    command = [sys.executable, "-m", "benches.grab.pylon", "--consume", ring.name]
    command += ["--frames", str(frames + _WARM_UP)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as consumer:
        ring.start()
        probe.grab()
        said, _ = consumer.communicate(timeout=60)
    return _numbers(probe, json.loads(said), frames)


def consume(ring_name: str, frames: int) -> list[int]:
    """Take so many frames as the loop does; returns when it had each, ns."""
    ring = _core.Ring.attach(ring_name)
    taken: list[int] = []
    while len(taken) < frames and not ring.stop_requested:
        slot = ring.take(1000)
        if slot >= 0:
            taken.append(now_ns())
            ring.release(slot)
    return taken


class _Probe(BaslerGrabber):
    """The grabber itself, with a look at the clock around what it does."""

    def __init__(self, ring: _core.Ring, options: PylonOptions, frames: int) -> None:
        super().__init__(ring, options)
        self._left = frames
        self.asked_ns: list[int] = []
        self.got_ns: list[int] = []
        self.published_ns: list[int] = []
        retrieve = self.camera.retrieve

        def asked() -> Any:
            self.camera.wait_for_result()
            self._begin_ns = now_ns()
            return retrieve()

        self.camera.retrieve = asked  # type: ignore[method-assign]

    def _hand_on(self, result: Any, received_ns: int) -> None:
        super()._hand_on(result, received_ns)
        self.published_ns.append(now_ns())
        self.asked_ns.append(self._begin_ns)
        self.got_ns.append(received_ns)
        self._left -= 1

    def _stopping(self) -> bool:
        return self._left <= 0


def _numbers(probe: _Probe, dequeued_ns: list[int], frames: int) -> dict[str, Any]:
    return {
        "retrieve_us": _spread(probe.asked_ns, probe.got_ns, frames),
        "retrieve_to_publish_us": _spread(probe.asked_ns, probe.published_ns, frames),
        "retrieve_to_dequeued_us": _spread(probe.asked_ns, dequeued_ns, frames),
    }


def _spread(begin_ns: Sequence[int], end_ns: Sequence[int], frames: int) -> dict[str, float]:
    took_us = (np.asarray(end_ns[-frames:]) - np.asarray(begin_ns[-frames:])) / 1000
    p50, p99 = np.percentile(took_us, [50, 99])
    return {"n": len(took_us), "p50": round(p50, 2), "p99": round(p99, 2), "max": round(took_us.max(), 2)}


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
