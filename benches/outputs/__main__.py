"""From a decision to the byte at the other end of a pseudo-terminal, and the width of pulses.

PYTHONPATH=python:. python -m benches.outputs --load cores
"""

from __future__ import annotations

import argparse
import json
import os
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from benches.latency.loads import beside
from benches.machine import machine

from fastpose import _core

NS_PER_MS = 1_000_000
PRIORITY = 70


def read_stamps(path: str, count: int, stamps: Connection) -> None:
    """The device: a process that stamps each byte that it reads from its end."""
    far_end = int(path)
    _urgent(PRIORITY + 1)
    found: list[tuple[int, int]] = []
    stamps.send("ready")
    while len(found) < count:
        said = os.read(far_end, 64)
        now_ns = time.monotonic_ns()
        found += [(now_ns, byte) for byte in said]
    stamps.send(found)


def _urgent(priority: int) -> bool:
    try:
        # Without the flag the processes of the load would inherit it, and stop the machine.
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except (OSError, AttributeError):
        return False
    return True


def measure(pulses: int, pulse_ms: float, gap_ms: float, load: str) -> dict[str, Any]:
    """Pulse after pulse: when asked for, when the far end had its bytes, what the interlock stamped."""
    far_end, near = os.openpty()
    port = _core.SerialPort(os.ttyname(near))
    line = _core.SerialOutput(port, high=b"H", low=b"L")
    interlock = _core.Interlock([_core.OutputLine("laser", line)], timer_priority=PRIORITY)
    interlock.arm()
    context, (ours, theirs) = get_context("fork"), get_context("fork").Pipe()
    device = context.Process(target=read_stamps, args=(str(far_end), 2 * pulses + 2, theirs), daemon=True)
    device.start()
    ours.recv()
    asked_ns, rises = [], []
    with beside(load):
        granted = _urgent(50)
        for _ in range(pulses):
            asked_ns.append(time.monotonic_ns())
            rises.append(interlock.pulse(0, round(pulse_ms * NS_PER_MS)).stamp_ns)
            time.sleep((pulse_ms + gap_ms) / 1000)
        seen = [stamp for stamp in ours.recv() if stamp[1] in b"HL"][2:]  # two of the safe state
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    falls = [event.stamp_ns for event in iter(interlock.poll_event, None) if event.cause == "timer"]
    high_ns = np.array([at for at, byte in seen if byte == ord("H")])
    low_ns = np.array([at for at, byte in seen if byte == ord("L")])
    return {
        "load": load,
        "realtime": granted,
        "pulse_ms": pulse_ms,
        "decided_to_byte_us": summary((high_ns - np.array(asked_ns)) / 1e3),
        "width_error_at_device_us": summary(np.abs(low_ns - high_ns - pulse_ms * NS_PER_MS) / 1e3),
        "width_error_stamped_us": summary(
            np.abs(np.array(falls) - np.array(rises) - pulse_ms * NS_PER_MS) / 1e3
        ),
    }


def summary(values: Any) -> dict[str, float]:
    """n and percentiles."""
    at = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9}
    found = {name: round(float(np.percentile(values, share)), 1) for name, share in at.items()}
    return {"n": len(values), **found, "max": round(float(np.max(values)), 1)}


def main() -> None:
    """Measure under each load."""
    parser = argparse.ArgumentParser(prog="python -m benches.outputs", description=__doc__)
    parser.add_argument("--pulses", type=int, default=2000)
    parser.add_argument("--pulse-ms", type=float, default=5.0)
    parser.add_argument("--gap-ms", type=float, default=5.0)
    parser.add_argument("--load", nargs="+", default=["idle", "cores"], help="of benches.latency.loads")
    parser.add_argument("--output", type=Path, default=Path("benches/results/outputs.json"))
    given = parser.parse_args()
    results = [measure(given.pulses, given.pulse_ms, given.gap_ms, load) for load in given.load]
    for result in results:
        print(json.dumps(result))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
