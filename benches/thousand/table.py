"""The README's table of ``thousand.json``."""

from __future__ import annotations

from typing import Any

from benches.markdown import machine_line, markdown

__all__ = ["thousand_table"]

HEADER = ("span", "p50", "p90", "p99", "p99.9", "max", "n")
ROWS = {"exposure to acted": "exposure_start_to_acted", "of it: network": "preprocessed_to_inferred"}


def thousand_table(report: dict[str, Any]) -> str:
    """Return the Markdown of ``thousand.json``; times in ms."""
    settings, pixels, spans = report["settings"], report["px"], report["spans"]
    rows = [_row(label, spans[name]) for label, name in ROWS.items()]
    frames, drops = sum(report["frames"]), sum(report["drops_of_the_ring"])
    notes = (
        f"Times in ms. {settings['rounds']} times the whole recording at {settings['rate_hz']:,.0f} Hz, "
        f"precision {settings['precision']}, a roi of {settings['roi_px']} px that follows the mouse; the "
        f"first {settings['settled_frames']} frames of each are left out. Dropped by the ring: {drops:,} of "
        f"{frames:,} frames. Distance from float32 on the full frame: {pixels['mean']:g} px on average, "
        f"{pixels['p99']:g} px at p99 (n {pixels['n']:,} keypoints)."
    )
    return "\n\n".join([markdown(HEADER, rows), notes, machine_line(report["machine"])])


def _row(label: str, span: dict[str, float]) -> list[str]:
    names = ("p50_us", "p90_us", "p99_us", "p99_9_us", "max_us")
    return [label, *(f"{span[name] / 1e3:.2f}" for name in names), f"{span['n']:,}"]
