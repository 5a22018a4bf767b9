"""The comparison as a picture: a panel for each case, a bar for each system, lines for the CPU's limit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benches.compare.systems import SYSTEMS

__all__ = ["draw"]

OURS, OTHERS, NETWORK, LEAST = "#c8553d", "#8a9ba8", "#2b2d42", "#2a7f62"
FLOORS = {"fp32": "-", "bf16": "--", "int8": ":"}
COLUMNS = 3


def draw(report: dict[str, Any], path: Path) -> None:
    """Write a PNG.

    Bars are medians of the whole way from a frame to its keypoints, whiskers reach to p99, ticks are the
    network alone, vertical lines the least time by precision. Raises ImportError without matplotlib.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    results = [each for each in report["results"] if _measured(each)]
    if not results:
        return
    rows = math.ceil(len(results) / COLUMNS)
    most = max(len(_measured(each)) for each in results)
    height = rows * (0.26 * most + 0.9) + 0.6
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(15, height), squeeze=False, layout="constrained")
    for axis, result in zip(axes.flat, results, strict=False):
        _panel(axis, result)
    for axis in list(axes.flat)[len(results) :]:
        axis.axis("off")
    _legend(figure, report)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _measured(result: dict[str, Any]) -> dict[str, Any]:
    """Systems with times, in the order of the case."""
    return {name: each for name, each in result["systems"].items() if "pose" in each or "network" in each}


def _panel(axis: Any, result: dict[str, Any]) -> None:
    systems = _measured(result)
    for row, (name, numbers) in enumerate(systems.items()):
        whole = numbers.get("pose", numbers.get("network"))
        colour = OURS if name.startswith("fastpose") else OTHERS
        axis.barh(row, whole["p50_ms"], color=colour, height=0.7, alpha=1.0 if "pose" in numbers else 0.45)
        axis.plot([whole["p50_ms"], whole["p99_ms"]], [row, row], color=NETWORK, linewidth=0.8)
        if "network" in numbers:
            axis.plot(
                [numbers["network"]["p50_ms"]] * 2, [row - 0.35, row + 0.35], color=NETWORK, linewidth=1.6
            )
        axis.annotate(_words(whole), (whole["p99_ms"], row), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=7.5)  # fmt: skip
    for precision, ms in result["least_ms"]["roi" if result["roi"] else "frame"].items():
        axis.axvline(ms, color=LEAST, linestyle=FLOORS[precision], linewidth=1.3)
    axis.set_yticks(range(len(systems)), [SYSTEMS[name].title for name in systems], fontsize=8)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    _widen(axis, result, systems)
    axis.set_title(result["title"], fontsize=9.5, loc="left")
    axis.tick_params(axis="x", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def _words(numbers: dict[str, Any]) -> str:
    faster = numbers.get("times_faster")
    return f"{numbers['p50_ms']:.3g} ms" + (f", {faster['median']:.1f}x" if faster else "")


def _widen(axis: Any, result: dict[str, Any], systems: dict[str, Any]) -> None:
    """From below the least time to where the words still fit."""
    least = min(result["least_ms"]["roi" if result["roi"] else "frame"].values())
    kinds = [each.get("pose", each.get("network")) for each in systems.values()]
    low = min(least, *(each["p50_ms"] for each in kinds))
    high = max(each["p99_ms"] for each in kinds)
    axis.set_xlim(low * 0.6, high * (high / low) ** 0.55)


def _legend(figure: Any, report: dict[str, Any]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    peaks = report["peaks_gops"]["best"]
    handles: list[Any] = [
        Patch(color=OURS, label="fastpose, frame to keypoints: p50, whisker to p99"),
        Patch(color=OTHERS, label="other tools, the same (paler: network alone)"),
        Line2D([], [], color=NETWORK, linewidth=1.6, label="network alone, p50"),
        *(
            Line2D([], [], color=LEAST, linestyle=FLOORS[name], linewidth=1.3,
                   label=f"least time at the {name} peak, {gops:,.0f} GOP/s")
            for name, gops in peaks.items()
        ),
    ]  # fmt: skip
    machine = report["machine"]
    title = f"ms per frame, {report['settings']['cores']} cores of {machine['cpu']}"
    figure.legend(
        handles=handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False, title=title
    )
