"""The README's table of ``grab.json``."""

from __future__ import annotations

from typing import Any

from benches.markdown import machine_line, markdown

__all__ = ["grab_table"]

HEADER = (
    *("camera", "call to dequeued: p50", "p99", "n"),
    *("received to dequeued, with wake-up: p50", "p99", "n"),
)


def grab_table(report: dict[str, Any]) -> str:
    """Return the Markdown of ``grab.json``; times in us."""
    rows = [_row(found) for found in report["sources"].values() if "received_to_dequeued" in found]
    width, height = report["size"]
    note = (
        f"Times in us, {width}x{height} at {report['rate_hz']:g} Hz. *Call to dequeued*: a frame waits in "
        "the camera's library; from the call that fetches it until the loop has it (the simulated camera "
        "renders in it; pylon's process and the loop are awake). *Received to dequeued*: a whole "
        "session; the frame is in our memory, the loop is woken. No pixel is copied in between."
    )
    return "\n\n".join([markdown(HEADER, rows), note, machine_line(report["machine"])])


def _row(found: dict[str, Any]) -> list[str]:
    return [found["about"], *_spread(found.get("queued", {})), *_spread(found["received_to_dequeued"])]


def _spread(span: dict[str, float]) -> list[str]:
    if not span.get("n"):
        return ["", "", ""]
    return [f"{span['p50_us']:.0f}", f"{span['p99_us']:.0f}", f"{span['n']:,}"]
