"""The comparison as text: lines for the terminal, a table for the README."""

from __future__ import annotations

from typing import Any

from benches.compare.systems import SYSTEMS

__all__ = ["compare_table", "lines", "lost"]

Result = dict[str, Any]
HEADER = ("network, frame", "DeepLabCut-live", "DeepLabCut", "ONNX Runtime", "OpenVINO", "fastpose fp32",
          "bf16", "int8", "times faster: fp32", "bf16", "int8", "px from fp32: mean", "least ms: fp32", "bf16",
          "int8", "of it reached")  # fmt: skip


def lines(result: Result) -> list[str]:
    """A case for the terminal: a line for each system."""
    least = ", ".join(
        f"{seen} {gmac:g} GMAC, at least {_values(result['least_ms'][seen])} ms"
        for seen, gmac in result["gmac"].items()
    )
    return [f"{result['title']}: {least}", *(_line(*each) for each in result["systems"].items())]


def _values(numbers: dict[str, float]) -> str:
    return ", ".join(f"{value:.3g} {name}" for name, value in numbers.items())


def _line(name: str, numbers: Result) -> str:
    title = f"  {SYSTEMS[name].title:<26}"
    if "reason" in numbers:
        return f"{title} -- {numbers['reason']}"
    parts = [f"{kind} {_times(numbers[kind])}" for kind in ("pose", "network") if kind in numbers]
    if "mean_px" in numbers.get("distance", {}):
        parts.append(f"{numbers['distance']['mean_px']:.2g} px apart")
    return f"{title} {'; '.join(parts)}; {numbers['peak_memory_mb']} MB"


def _times(numbers: Result) -> str:
    text = (
        f"p50 {numbers['p50_ms']:g} p99 {numbers['p99_ms']:g} max {numbers['max_ms']:g} ms (n {numbers['n']}"
    )
    text += f", cpu {numbers['cpu_ms_per_frame']:g} ms)"
    if "times_faster" in numbers:
        text += f" x{_ratio(numbers['times_faster'])}"
    if "of_limit" in numbers:
        text += f", {numbers['of_limit']:.0%} of the {numbers['limit']} limit"
    return text


def _ratio(ratio: Result) -> str:
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})"


def lost(report: Result) -> str:
    """Where fastpose is slower than another tool at the same network; said aloud."""
    found = [
        f"{result['title']}: {SYSTEMS[name].title} {fast:g} ms, {SYSTEMS[ours].title} {slow:g} ms"
        for result in report["results"]
        for ours, slow in _p50s(result, ours=True).items()
        for name, fast in _p50s(result, ours=False).items()
        if slow > fast
    ]
    return "\n".join(["fastpose is slower here:", *found]) if found else "fastpose is slower nowhere."


def _p50s(result: Result, *, ours: bool) -> dict[str, float]:
    """Medians of the whole way, else of the network alone."""
    found = {}
    for name, numbers in result["systems"].items():
        timed = numbers.get("pose")
        if timed is not None and name.startswith("fastpose") == ours:
            found[name] = timed["p50_ms"]
    return found


# --- README ---


def compare_table(report: Result) -> str:
    """Markdown of ``compare.json``: medians in ms of the whole way from a frame to its keypoints."""
    from benches.table import _machine, _markdown

    rows = [_row(result) for result in report["results"]]
    settings = report["settings"]
    peaks = ", ".join(f"{name} {gops:,.0f}" for name, gops in report["peaks_gops"]["best"].items())
    notes = (
        "From the frame to its keypoints, p50 / p99 in ms; where a tool has no decoder for a network, the "
        "network alone (\\*). Every system has the same weights, frames and "
        f"{settings['cores']} threads, in a process of its own; they took turns, {settings['rounds']} rounds. "
        "*Times faster* than the first tool of the row: median over the rounds (smallest-largest). *Px from "
        "fp32*: mean distance of the keypoints to those of that tool, for the fastest fastpose. *Least*: "
        "the network's multiply-adds at the peak that was measured on this machine (GOP/s: "
        f"{peaks}); *reached*: least over p50 of the network alone, for the fastest fastpose."
    )
    return "\n\n".join([_markdown(HEADER, rows), notes, _machine(report["machine"])])


def _row(result: Result) -> list[str]:
    systems, base = result["systems"], result["base"]
    tools = [base, "deeplabcut", "onnxruntime", "openvino"]
    first = _cell(systems.get(base)) + ("" if base == "deeplabcut-live" else f" ({SYSTEMS[base].title})")
    ours = [systems.get(f"fastpose {name}", {}) for name in ("fp32", "bf16", "int8")]
    fastest = min((each for each in ours if "pose" in each), key=_p50, default={})
    least = result["least_ms"]["roi" if result["roi"] else "frame"]
    reached = fastest.get("network", {}).get("of_limit")
    return [
        result["title"],
        first,
        *(_cell(systems.get(name)) for name in tools[1:]),
        *map(_cell, ours),
        *(_ratio_cell(each) for each in ours),
        _distance(fastest),
        *(f"{least[name]:.3g}" if name in least else "" for name in ("fp32", "bf16", "int8")),
        "" if reached is None else f"{reached:.0%}",
    ]


def _p50(numbers: Result) -> float:
    return float(numbers["pose"]["p50_ms"])


def _cell(numbers: Result | None) -> str:
    if not numbers or "reason" in numbers:
        return ""
    kind = "pose" if "pose" in numbers else "network"
    if kind not in numbers:
        return ""
    times = numbers[kind]
    mark = "" if kind == "pose" else " \\*"
    return f"{times['p50_ms']:.3g} / {times['p99_ms']:.3g}{mark}"


def _ratio_cell(numbers: Result) -> str:
    ratio = numbers.get("pose", {}).get("times_faster")
    return "" if ratio is None else f"{ratio['median']:.1f} ({ratio['min']:.1f}-{ratio['max']:.1f})"


def _distance(numbers: Result) -> str:
    found = numbers.get("distance", {})
    return f"{found['mean_px']:.2g}" if "mean_px" in found else ""
