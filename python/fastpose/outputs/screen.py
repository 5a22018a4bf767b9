"""Visual stimuli on a second screen: drawn frame by frame in a process of its own, by SDL through pygame-ce.

A stimulus is there from the frame whose flip `write` returns from; with vertical synchronisation that is when
the screen begins to show it.
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.config.beside import ScreenOutput
from fastpose.errors import OutputError
from fastpose.outputs import needs
from fastpose.outputs.stimuli import Picture, make_picture

__all__ = ["Display", "open"]

Pixels = npt.NDArray[np.uint8]


class Display:
    """One screen of this process, with the stimuli of its outputs one above the other."""

    def __init__(self, spec: ScreenOutput) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        self._pygame = needs("pygame", "screen", "screen")
        self._surface = self._open(spec)
        self.size: tuple[int, int] = self._surface.get_size()
        self._background, self._shown = spec.background, list["ScreenLine"]()
        self._lines: list[ScreenLine] = []
        self.flips = 0
        self.flip()

    def _open(self, spec: ScreenOutput) -> Any:
        pygame = self._pygame
        try:
            pygame.display.init()
            count = pygame.display.get_num_displays()
            if spec.display >= count:
                raise OutputError(f"display is {spec.display}; there are {count}, numbered from 0")
            flags = 0 if spec.size else pygame.FULLSCREEN
            vsync = os.environ.get("SDL_VIDEODRIVER") not in ("dummy", "offscreen")
            surface = self._set_mode(spec.size or (0, 0), flags, spec.display, vsync=vsync)
            pygame.mouse.set_visible(False)
            return surface
        except pygame.error as error:
            raise OutputError(f"screen {spec.display} cannot be opened: {error}") from error

    def _set_mode(self, size: tuple[int, int], flags: int, display: int, *, vsync: bool) -> Any:
        pygame = self._pygame
        if vsync:
            try:
                return pygame.display.set_mode(size, flags | pygame.SCALED, display=display, vsync=1)
            except pygame.error:  # a window system without it: frames are shown as they come
                pass
        return pygame.display.set_mode(size, flags, display=display)

    def add(self, line: ScreenLine) -> None:
        """One more output."""
        self._lines.append(line)

    def show(self, line: ScreenLine, *, shown: bool) -> None:
        """Show or hide the stimulus of an output, from the next flip on, which is waited for."""
        if (line in self._shown) == shown:
            return
        self._shown.append(line) if shown else self._shown.remove(line)
        self.flip()

    def flip(self) -> None:
        """Draw a frame and wait until it is shown."""
        self._pygame.event.pump()
        self._surface.fill(self._background)
        now_s = time.monotonic()
        for line in self._shown:
            self._draw(line.picture(now_s))
        self._draw_marks()
        self._pygame.display.flip()
        self.flips += 1

    @property
    def moving(self) -> bool:
        """A stimulus changes from frame to frame."""
        return any(line.moves for line in self._shown)

    def pixels(self) -> Pixels:
        """(H, W, 3) uint8 rgb of what is shown."""
        shown = self._pygame.surfarray.array3d(self._surface)
        return np.ascontiguousarray(shown.swapaxes(0, 1))

    def close(self) -> None:
        """Close the screen."""
        self._pygame.display.quit()

    def _draw(self, picture: Pixels) -> None:
        surface = self._pygame.surfarray.make_surface(np.ascontiguousarray(picture.swapaxes(0, 1)))
        self._surface.blit(surface, surface.get_rect(center=self._surface.get_rect().center))

    def _draw_marks(self) -> None:
        for line in self._lines:
            if line.mark_px:
                colour = (255, 255, 255) if line in self._shown else (0, 0, 0)
                top = self.size[1] - line.mark_px
                self._surface.fill(colour, (0, top, line.mark_px, line.mark_px))


class ScreenLine:
    """One stimulus of a display."""

    tick_ms = 1.0  # between two looks for commands: the flip itself waits for the screen

    def __init__(self, display: Display, spec: ScreenOutput) -> None:
        self._display = display
        self._picture: Picture = make_picture(spec.stimulus, display.size)
        self._since_s, self.mark_px = 0.0, spec.photodiode_px
        display.add(self)

    @property
    def moves(self) -> bool:
        return self._picture.moves

    def picture(self, now_s: float) -> Pixels:
        """(H, W, 3) of this moment."""
        self._since_s = self._since_s or now_s
        return self._picture.at(now_s - self._since_s)

    def write(self, high: bool) -> None:
        """Show or hide it; returns when the frame is on the screen."""
        if high:
            self._since_s = 0.0  # from the start again
        self._display.show(self, shown=high)

    def tick(self) -> None:
        """The next frame, where something moves."""
        if self._display.moving:
            self._display.flip()

    def close(self) -> None:
        """Close the display."""
        self._display.close()


_displays: dict[int, Display] = {}


def open(name: str, spec: ScreenOutput) -> ScreenLine:
    """The output `name`; the first of a display opens it."""
    if spec.display not in _displays:
        _displays[spec.display] = Display(spec)
    return ScreenLine(_displays[spec.display], spec)
