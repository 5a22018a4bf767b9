"""What a session came to, for the end of a run and for `recover` to print."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastpose.session.latency import ACTED, DECIDED

_SHOWN = ("p50", "p90", "p99", "p99.9", "max")

__all__ = ["CameraSummary", "Summary", "fidelity_text"]


def fidelity_text(recording: dict[str, Any]) -> str:
    """How recorded pixels compare with the camera's, in words; empty where none were compared."""
    if not recording.get("compared_frames"):
        return ""
    if recording.get("exact"):
        return f"{recording['codec']}, pixels exact"
    return f"{recording['codec']}, PSNR {recording['psnr_db']:.1f} dB"


@dataclass(frozen=True)
class CameraSummary:
    """Counts of one camera.

    Attributes
    ----------
    exposures, received, processed : int
        Rows in frames.parquet; those whose pixels arrived; those the loop decided on.
    drops : dict
        Rows for each drop reason.
    video_frames : int or None
        Frames of the video; None where none was recorded.
    recording : dict
        How the video was made and how its pixels compare with the camera's, see `CameraLogs`.
    """

    exposures: int
    received: int
    processed: int
    drops: dict[str, int]
    video_frames: int | None
    recording: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The counts by name."""
        return dict(vars(self))

    @property
    def video_text(self) -> str:
        """How many frames the video has, and how they compare with the camera's; empty without a video."""
        if self.video_frames is None:
            return ""
        fidelity, compared = fidelity_text(self.recording), self.recording.get("compared_frames", 0)
        told = f" ({fidelity}, {compared} compared)" if fidelity else ""
        return f"{self.video_frames:,} in the video{told}"

    def __str__(self) -> str:
        drops = ", ".join(f"{count:,} {reason}" for reason, count in self.drops.items() if count) or "none"
        video = f", {self.video_text}" if self.video_text else ""
        return f"{self.received:,} frames, {self.processed:,} processed{video}; drops: {drops}"


@dataclass(frozen=True)
class Summary:
    """The results of a session.

    Attributes
    ----------
    session_dir : Path
    ended : str
        `duration`, `finished`, `interrupted`, `fault` or `killed`.
    error : str or None
    cameras : dict of CameraSummary
    events : dict
        How many of each event.
    latency : dict
        Content of latency.json.
    files : list of str
        Result files, by name.
    notes : list of str
        What was lost, inferred or repaired, a line each.
    clocks : dict of str
        How well each camera's clock is known, in words; none where it is not told.
    """

    session_dir: Path
    ended: str
    error: str | None
    cameras: dict[str, CameraSummary]
    events: dict[str, int]
    latency: dict[str, Any]
    files: list[str]
    notes: list[str]
    clocks: dict[str, str] = field(default_factory=dict)

    def latency_lines(self) -> list[str]:
        """One line for each camera and way end to end that has frames."""
        lines = []
        for camera, latency in self.latency["cameras"].items():
            for span in (ACTED, DECIDED):
                found = latency["end_to_end"][span.name]
                values = ", ".join(f"{name} {found[name]:.2f}" for name in _SHOWN if found["n"])
                if values:
                    name = f"{camera}: {span.start} to {span.stop}"
                    lines.append(f"{name}: {values} ms (n = {found['n']:,})")
        return lines

    def lines(self) -> list[str]:
        """The summary as text, the session folder first."""
        ended = f"ended: {self.ended}" + (f" ({self.error})" if self.error else "")
        counts = [f"{name}: {camera}" for name, camera in self.cameras.items()]
        clocks = [f"{name}: {text}" for name, text in self.clocks.items()]
        return [f"session: {self.session_dir}", ended, *counts, *clocks, *self.latency_lines(), *self.notes]
