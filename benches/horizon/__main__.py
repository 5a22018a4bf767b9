"""How far the pose is from the animal when it acts, while a simulated network takes 5, 20, and 5 ms again.

    python -m benches.horizon [--jitter-ms 1] [--output benches/results/horizon.json]

On a logical clock (`fastpose.testing`): the same numbers on every machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from benches.horizon.stress import LATENCIES_MS, RATE_HZ, Stress, stress
from benches.machine import machine

__all__ = ["main", "report"]

OUTPUT = Path("benches/results/horizon.json")


def report(found: Stress) -> dict[str, Any]:
    """Mean errors by filter and section, and what the horizon did."""
    names = list(found.error_px)
    sections = [
        {
            "latency_ms": latency_ms,
            "horizon_ms": round(float(_settled(found, section).mean()), 3),
            "horizon_sd_ms": round(float(_settled(found, section).std()), 4),
            "error_px": {name: round(found.mean_px(name, section), 3) for name in names},
        }
        for section, latency_ms in enumerate(LATENCIES_MS)
    ]
    steps = np.abs(np.diff(found.horizon_ms))
    return {
        "frames": len(found.section),
        "rate_hz": RATE_HZ,
        "settled": sections,
        "over_all_px": {name: round(found.mean_px(name), 3) for name in names},
        "largest_change_ms_per_frame": round(float(steps.max()), 4),
        "allowed_change_ms_per_frame": 0.05 * 1000 / RATE_HZ,
    }


def _settled(found: Stress, section: int) -> Any:
    return found.horizon_ms[found.settled & (found.section == section)]


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.horizon", description=__doc__)
    parser.add_argument("--jitter-ms", type=float, default=1.0)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    found = report(stress(jitter_ms=options.jitter_ms))
    for section in found["settled"]:
        errors = ", ".join(f"{name} {px:.2f}" for name, px in section["error_px"].items())
        print(
            f"{section['latency_ms']:3d} ms: horizon {section['horizon_ms']:.2f} ms (sd "
            f"{section['horizon_sd_ms']:.3f}); mean error, px: {errors}"
        )
    print(f"over all, px: {found['over_all_px']}")
    content = {"machine": machine(), "jitter_ms": options.jitter_ms, **found}
    options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
