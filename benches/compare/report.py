"""The comparison as text: lines for the terminal, a table for the README."""

from __future__ import annotations

from typing import Any

from benches.compare.systems import SYSTEMS
from benches.markdown import machine_line, markdown

__all__ = ["compare_table", "lines", "lost"]

Result = dict[str, Any]
STAR = " \\*"
HEADER = (
    *("network, frame", "DeepLabCut-live", "DeepLabCut", "ONNX Runtime", "OpenVINO"),
    *("fastpose fp32", "bf16", "int8", "times faster: fp32", "bf16", "int8", "int8, px from fp32"),
    *("least ms: fp32", "bf16", "int8", "fp32 reaches", "int8 reaches"),
)


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
    """Markdown of ``compare.json``: times in ms of the whole way from a frame to its keypoints."""
    rows = [_row(result) for result in report["results"]]
    return "\n\n".join([markdown(HEADER, rows), _notes(report), machine_line(report["machine"])])


def _notes(report: Result) -> str:
    settings = report["settings"]
    peaks = ", ".join(f"{name} {gops:,.0f}" for name, gops in report["peaks_gops"]["best"].items())
    notes = [
        "From the frame to its keypoints, p50 / p99 in ms (\\*: the network alone, where that tool has no "
        "decoder for its maps).",
        f"All have the same weights, frames and {settings['cores']} threads, each a process of its own; they "
        f"took turns, {settings['rounds']} rounds.",
        "*Times faster* than the first tool of the row: median over the rounds (smallest-largest).",
        "*Px from fp32*: mean distance to the keypoints of that tool.",
        "*Least*: the network's multiply-adds at the peak measured on this machine "
        f"({peaks} GOP/s); *reaches*: least over p50 of the network alone.",
    ]
    return " ".join(notes + [f"{name}: {reason}." for name, reason in _reasons(report).items()])


def _reasons(report: Result) -> dict[str, str]:
    """Why a form of fastpose has no number in any row."""
    found = {}
    for name in ("fastpose bf16", "fastpose int8"):
        numbers = [result["systems"].get(name, {}) for result in report["results"]]
        reasons = [each["reason"] for each in numbers if "reason" in each]
        if reasons and not any("pose" in each for each in numbers):
            found[name.removeprefix("fastpose ")] = reasons[0].removeprefix("DeviceError: ")
    return found


def _row(result: Result) -> list[str]:
    systems, base = result["systems"], result["base"]
    name = "" if base == "deeplabcut-live" else f" ({SYSTEMS[base].title})"
    ours = [systems.get(f"fastpose {name}", {}) for name in ("fp32", "bf16", "int8")]
    least = result["least_ms"]["roi" if result["roi"] else "frame"]
    return [
        result["title"],
        _cell(systems.get(base)) + name,
        *(_cell(systems.get(tool)) for tool in ("deeplabcut", "onnxruntime", "openvino")),
        *map(_cell, ours),
        *map(_ratio_cell, ours),
        _distance(ours[2]),
        *(f"{least[name]:.3g}" if name in least else "" for name in ("fp32", "bf16", "int8")),
        *(_reached(each) for each in (ours[0], ours[2])),
    ]


def _cell(numbers: Result | None) -> str:
    kind = next((kind for kind in ("pose", "network") if numbers and kind in numbers), None)
    if numbers is None or kind is None:
        return ""
    times = numbers[kind]
    return f"{times['p50_ms']:.3g} / {times['p99_ms']:.3g}{'' if kind == 'pose' else STAR}"


def _ratio_cell(numbers: Result) -> str:
    ratio = numbers.get("pose", {}).get("times_faster")
    return "" if ratio is None else f"{ratio['median']:.1f} ({ratio['min']:.1f}-{ratio['max']:.1f})"


def _distance(numbers: Result) -> str:
    found = numbers.get("distance", {})
    return f"{found['mean_px']:.2g}" if "mean_px" in found else ""


def _reached(numbers: Result) -> str:
    reached = numbers.get("network", {}).get("of_limit")
    return "" if reached is None else f"{reached:.0%}"
