"""The live terminal status of a run; quiet where stderr is not a terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text
from typing_extensions import Self

__all__ = ["Snapshot", "Status", "render"]

_BAR = 40  # columns
_FAULTS_SHOWN = 3


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment, as plain numbers."""

    frames: int = 0
    """Exposures seen so far."""
    processed: int = 0
    """Frames that became a pose."""
    drops: dict[str, int] = field(default_factory=dict)
    """Frames not processed or not recorded, by reason."""
    rate_hz: float = 0.0
    """Rate of the camera."""
    age_ms: float | None = None
    """Age of the newest pose, from its exposure_start; None: no pose yet."""
    p50_ms: float | None = None
    """Median latency from exposure_start; None: none yet."""
    p99_ms: float | None = None
    rules: dict[str, bool] = field(default_factory=dict)
    outputs: dict[str, bool] = field(default_factory=dict)
    """True: high."""
    recorder_queue: int = 0
    """Frames that wait for the encoder that has the most of them."""
    others: dict[str, dict[str, int]] = field(default_factory=dict)
    """The other cameras: frames, processed, dropped."""
    elapsed_s: float = 0.0
    total_frames: int | None = None
    """Frames that the source has; None: unknown."""
    duration_s: float | None = None
    """When the session ends by itself; None: it does not."""
    faults: list[str] = field(default_factory=list)
    """What went wrong so far, one line each."""


class Status:
    """Shows snapshots of a run on stderr.

    Thread-bound. On a terminal a block that refreshes in place; else a line at the start and one at the end.

    Parameters
    ----------
    console : Console, optional
        Where to show it; default: stderr.
    refresh_hz : float
        Snapshots that come faster are skipped.
    quiet : bool
        Show nothing at all.
    """

    def __init__(
        self, *, console: Console | None = None, refresh_hz: float = 5.0, quiet: bool = False
    ) -> None:
        self._console = console or Console(stderr=True, quiet=quiet, highlight=False)
        self._interval_s = 1 / refresh_hz
        self._live: Live | None = None
        self._last: Snapshot | None = None
        self._next_s = 0.0
        self._title = "fastpose"
        self._ends = "Ctrl-C ends the session"

    @property
    def interval_s(self) -> float:
        """How often a snapshot is worth making."""
        return self._interval_s

    def start(self, directory: Path, *, has_key: bool = False) -> None:
        """Begin: the session lies in this folder; `has_key`: the space bar stops at once."""
        self._ends = "Ctrl-C ends the session" + ("; space: emergency stop" if has_key else "")
        self._title = f"session {directory.name}"
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        else:
            self._line(f"running: session {directory}")

    def update(self, snapshot: Snapshot) -> None:
        """Show a snapshot, unless the last one was shown less than a refresh ago."""
        self._last = snapshot
        now_s = time.monotonic()
        if self._live is not None and now_s >= self._next_s:
            self._next_s = now_s + self._interval_s
            self._live.update(render(snapshot, self._title, self._ends), refresh=True)

    def stop(self) -> None:
        """End; leaves the terminal as it was. Safe to call twice."""
        live, self._live = self._live, None
        last, self._last = self._last, None
        if live is not None:
            live.stop()
        elif last is not None:
            self._line(f"ended: {last.elapsed_s:.1f} s, {last.frames} frames, {last.processed} processed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _line(self, text: str) -> None:
        self._console.print(f"fastpose: {escape(text)}", soft_wrap=True)


def render(snapshot: Snapshot, title: str, ends: str = "Ctrl-C ends the session") -> Text:
    """Return the block that shows a snapshot.

    One flat text: tables cost three times as much, and the loop shares this core.
    """
    block = Text(f"{title}\n")
    block.stylize("bold", 0, len(title))
    _row(block, "camera", _camera(snapshot))
    _row(block, "latency", _latency(snapshot))
    _row(block, "drops", *_drops(snapshot.drops))
    for name, counts in snapshot.others.items():
        _row(block, name[:9], _other(counts))
    if snapshot.rules:
        _row(block, "rules", *_marks(snapshot.rules, ("○", "●"), "green"))
    if snapshot.outputs:
        _row(block, "outputs", *_marks(snapshot.outputs, ("▁", "█"), "bold yellow"))
    _row(block, "recorder", f"{snapshot.recorder_queue} frames behind")
    for fault in snapshot.faults[-_FAULTS_SHOWN:]:
        _row(block, "fault", (fault, "bold red"))
    _row(block, "elapsed", *_progress(snapshot))
    return block.append(ends, "dim")


def _row(block: Text, label: str, *parts: str | tuple[str, str]) -> None:
    block.append(f"{label:<10}", "dim")
    for part in parts:
        block.append(*((part,) if isinstance(part, str) else part))
    block.append("\n")


def _camera(snapshot: Snapshot) -> str:
    return f"{snapshot.rate_hz:.1f} Hz   {snapshot.frames} frames, {snapshot.processed} processed"


def _other(counts: dict[str, int]) -> str:
    return f"{counts['frames']} frames, {counts['processed']} processed, {counts['dropped']} dropped"


def _latency(snapshot: Snapshot) -> str:
    def ms(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f} ms"

    return f"p50 {ms(snapshot.p50_ms)}   p99 {ms(snapshot.p99_ms)}   newest pose {ms(snapshot.age_ms)} old"


def _drops(drops: dict[str, int]) -> list[tuple[str, str]]:
    counted = [(f"{reason} {count}   ", "red") for reason, count in drops.items() if count]
    return counted or [("none", "")]


def _marks(states: dict[str, bool], marks: tuple[str, str], style: str) -> list[tuple[str, str]]:
    return [(f"{marks[is_on]} {name}   ", style if is_on else "") for name, is_on in states.items()]


def _progress(snapshot: Snapshot) -> list[tuple[str, str]]:
    done = _fraction(snapshot)
    if done is None:
        return [(_clock(snapshot.elapsed_s), "")]
    full = round(done * _BAR)
    return [
        ("━" * full, "cyan"),
        ("━" * (_BAR - full), "bright_black"),
        (f" {100 * done:3.0f} %   {_clock(snapshot.elapsed_s)}", ""),
    ]


def _fraction(snapshot: Snapshot) -> float | None:
    """Return how much of the session is over, 0-1; None: its length is unknown."""
    parts = []
    if snapshot.total_frames:
        parts.append(snapshot.frames / snapshot.total_frames)
    if snapshot.duration_s:
        parts.append(snapshot.elapsed_s / snapshot.duration_s)
    return min(1.0, max(parts)) if parts else None


def _clock(elapsed_s: float) -> str:
    minutes, seconds = divmod(int(elapsed_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
