"""From a decision to the byte at the other end of a pseudo-terminal, and the width of pulses.

    python -m benches.outputs [--pulses 2000] [--loads idle,cores] [--output benches/results/outputs.json]

A whole session at 100 Hz whose protocol answers each frame with a pulse over a serial port. The device is a
process of its own. A pseudo-terminal hands bytes on by a worker of the kernel that has no priority: beside
busy cores that is in what the device sees, and not in what the interlock stamps.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benches.machine import machine
from benches.outputs.session import RATE_HZ, SPANS, measure

__all__ = ["main"]

LOADS = ("idle", "python_thread", "cores")


def text(found: dict[str, Any]) -> str:
    """A condition in a line a span."""
    lines = [
        f"{found['load']:<14} {span:<22} "
        + "  ".join(f"{key[:-3]} {found[span][key]:.1f}" for key in ("p50_us", "p99_us", "max_us"))
        + f" us, n {found[span]['n']}"
        for span in SPANS
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure under each load."""
    parser = argparse.ArgumentParser(prog="python -m benches.outputs", description=__doc__)
    parser.add_argument("--pulses", type=int, default=2000)
    parser.add_argument("--loads", default="idle,cores", help=f"comma separated: {', '.join(LOADS)}")
    parser.add_argument("--output", type=Path, default=Path("benches/results/outputs.json"))
    given = parser.parse_args()
    content: dict[str, Any] = {"bench": "outputs", "machine": machine(), "rate_hz": RATE_HZ, "loads": {}}
    for load in given.loads.split(","):
        content["loads"][load] = found = measure(given.pulses, load)
        print(text(found), flush=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"-> {given.output}")


if __name__ == "__main__":
    main()
