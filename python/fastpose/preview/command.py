"""The command ``fastpose preview``: numbers once a while, a picture now and then."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from fastpose.config import Camera
from fastpose.errors import CameraTimeout
from fastpose.hosts.common import FRAME_CLOCK_UNFITTED
from fastpose.preview.live import LiveCamera, Seen
from fastpose.preview.numbers import ImageNumbers, bits_of, grey_of, image_numbers
from fastpose.preview.picture import picture_of, write_png
from fastpose.preview.target import camera_of

__all__ = ["Options", "View", "line_of", "preview", "rate_hz", "render"]

_POLL_S = 0.05
_WINDOW_NS = 2_000_000_000
_SETTLE_S = 0.5  # automatic exposures are on their way; the first picture comes after it
_PATIENCE_S = 10.0
_HINT = "turn the lens until sharpness is highest; Ctrl-C ends the preview"
_CLIPPED = 0.01  # share of pixels without information that is worth a word


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes
    ----------
    picture : Path or None
        Where the still image goes; None: preview_<name>.png in the working directory.
    every_s : float or None
        Writes it again and again; None: once.
    seconds : float or None
        Ends after so long; None: at Ctrl-C.
    """

    picture: Path | None = None
    every_s: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class View:
    """A camera at one moment, as plain numbers; what is not known is None or empty."""

    title: str
    frames: int
    rate_hz: float | None
    nominal_hz: float
    dropped: dict[str, int]
    exposure_us: float | None
    age_ms: float | None
    age_is_guess: bool
    clock: str
    image: ImageNumbers | None
    lost: str
    picture: str


def preview(target: str, camera: str | None, options: Options, console: Console) -> Path | None:
    """Show a camera until Ctrl-C, the end of `seconds`, or the end of the source; returns the picture's path.

    Raises
    ------
    FastposeError
        There is no such camera, it fails, or sends nothing.
    """
    name, spec = camera_of(target, camera)
    with LiveCamera(spec) as live:
        watch = _Watch(name, spec, live, options)
        with suppress(KeyboardInterrupt):
            _show(watch, console)
            live.check()
        return watch.picture if watch.written else None


def render(view: View) -> Text:
    """The block of numbers."""
    block = Text(f"{view.title}\n")
    block.stylize("bold", 0, len(view.title))
    for label, text, style in _rows(view):
        block.append(f"{label:<11}", "dim").append(f"{text}\n", style)
    return block


def line_of(view: View) -> str:
    """The same in a line, for a log."""
    return "   ".join(f"{label} {text}" for label, text, _ in _rows(view) if label not in ("picture",))


def _rows(view: View) -> list[tuple[str, str, str]]:
    rate = "-" if view.rate_hz is None else f"{view.rate_hz:.2f} Hz (set: {view.nominal_hz:.4g})"
    rows = [("rate", f"{rate}, {view.frames} frames", ""), _dropped_row(view), _exposure_row(view)]
    rows += _image_rows(view.image)
    rows.append(("age", _age(view), "yellow" if view.age_is_guess else ""))
    if view.clock:
        rows.append(("clock", view.clock, ""))
    if view.lost:
        rows.append(("lost", view.lost, "bold red"))
    return [*rows, ("picture", view.picture, "")]


def _dropped_row(view: View) -> tuple[str, str, str]:
    counted = [f"{count} in the {place}" for place, count in view.dropped.items() if count]
    return ("dropped", ", ".join(counted) or "none", "red" if counted else "")


def _exposure_row(view: View) -> tuple[str, str, str]:
    known = view.exposure_us is not None
    return ("exposure", f"{view.exposure_us:g} us" if known else "as the camera is set", "")


def _image_rows(image: ImageNumbers | None) -> list[tuple[str, str, str]]:
    if image is None:
        return [("brightness", "-", ""), ("sharpness", "-", "")]
    clipped = [
        f"{share:.0%} {word}"
        for share, word in ((image.dark, "black"), (image.bright, "white"))
        if share > _CLIPPED
    ]
    text = f"{image.brightness:.0%} of full scale" + (f", {' and '.join(clipped)}" if clipped else "")
    return [
        ("brightness", text, "yellow" if clipped else ""),
        ("sharpness", f"{image.sharpness:.4f}", ""),
    ]


def _age(view: View) -> str:
    if view.age_ms is None:
        return "-"
    return f"{view.age_ms:.1f} ms from exposure to here" + (" or more: a guess" if view.age_is_guess else "")


def _show(watch: _Watch, console: Console) -> None:
    if not console.is_terminal:
        while not watch.over:
            watch.look(1.0)
            console.print(line_of(watch.view()), soft_wrap=True, markup=False)
        return
    with Live(console=console, auto_refresh=False, transient=False) as block:
        while not watch.over:
            watch.look(0.2)
            block.update(render(watch.view()).append(_HINT, "dim"), refresh=True)


class _Watch:
    """Looks at a frame now and then, and writes pictures."""

    def __init__(self, name: str, spec: Camera, live: LiveCamera, options: Options) -> None:
        source = live.source
        size = "{}x{}".format(*source.frame_size)
        self._title = f"{name}: {spec.driver}, {size} px, {source.pixel_format}"
        self._live, self._options = live, options
        self.picture = options.picture or Path(f"preview_{name}.png")
        self.written = 0
        self._began_s = self._heard_s = time.monotonic()
        self._next_picture_s: float | None = self._began_s + _SETTLE_S
        self._image: ImageNumbers | None = None

    @property
    def over(self) -> bool:
        """The source has ended, or the time is over and the picture is written."""
        seconds = self._options.seconds
        late = seconds is not None and time.monotonic() - self._began_s >= seconds
        return self._live.over or (late and (self.written > 0 or not self._live.frames))

    def look(self, seconds: float) -> None:
        """Look at the next frame, then wait until the time is over.

        Raises
        ------
        FastposeError
            The camera failed, or sends nothing.
        """
        end_s = time.monotonic() + seconds
        seen = self._live.frame(seconds)
        if seen is not None:
            self._heard_s = time.monotonic()
            self._look_at(seen)
        elif time.monotonic() - self._heard_s > _PATIENCE_S and not self._live.lost:
            raise CameraTimeout(
                f"no frame came for {_PATIENCE_S:g} s; "
                "does the camera wait for a trigger, or does another program use it?"
            )
        while (left_s := end_s - time.monotonic()) > 0 and not self._live.over:
            time.sleep(min(left_s, _POLL_S))

    def view(self) -> View:
        live, last = self._live, self._live.newest
        return View(
            title=self._title,
            frames=live.frames,
            rate_hz=rate_hz(list(live.exposures_ns)),
            nominal_hz=live.source.rate_hz,
            dropped=live.dropped(),
            exposure_us=live.exposure_us,
            age_ms=(last.taken_ns - last.exposure_start_ns) / 1e6 if last else None,
            age_is_guess=last is not None and bool(last.flags & FRAME_CLOCK_UNFITTED),
            clock=live.clock(),
            image=self._image,
            lost=live.lost,
            picture=f"{self.picture}{' (not yet)' if not self.written else ''}",
        )

    def _look_at(self, seen: Seen) -> None:
        assert seen.pixels is not None
        source = self._live.source
        grey = grey_of(seen.pixels, source.pixel_format)
        self._image = image_numbers(grey, bits=bits_of(source.pixel_format))
        if self._next_picture_s is None or time.monotonic() < self._next_picture_s:
            return
        write_png(picture_of(seen.pixels, source.pixel_format, source.frame_size), self.picture)
        self.written += 1
        every_s = self._options.every_s
        self._next_picture_s = None if every_s is None else time.monotonic() + every_s


def rate_hz(exposures_ns: list[int]) -> float | None:
    """Frames a second by the exposures of the last two seconds; None: too few."""
    recent = [ns for ns in exposures_ns if exposures_ns[-1] - ns <= _WINDOW_NS]
    if len(recent) < 2 or recent[-1] <= recent[0]:
        return None
    return (len(recent) - 1) * 1e9 / (recent[-1] - recent[0])
