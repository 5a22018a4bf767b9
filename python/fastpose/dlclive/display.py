"""A window that shows frames with their keypoints; for a look, not for the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fastpose.dlclive.exceptions import DLCLiveError
from fastpose.session.drawing import colours

__all__ = ["Display", "keypoint_colours", "painted"]

Colour = tuple[int, int, int]


class Display:
    """A window that opens with the first frame.

    Parameters
    ----------
    cmap : str
        A palette of colorcet where that is installed, else ignored: colours that are easy to tell apart.
    radius : int
        Of a keypoint, px.
    pcutoff : float
        Keypoints of this likelihood and below are not shown.
    """

    def __init__(self, cmap: str = "bmy", radius: int = 3, pcutoff: float = 0.5) -> None:
        self.cmap, self.radius, self.pcutoff = cmap, radius, pcutoff
        self.window: Any = None
        self._label: Any = None
        self._colours: list[Colour] = []

    def set_display(self, im_size: Sequence[int], bodyparts: int) -> None:
        """Open the window.

        Parameters
        ----------
        im_size : sequence of int
            Width and height, px.
        bodyparts : int
            How many.

        Raises
        ------
        DLCLiveError
            There is no tkinter, or no screen.
        """
        try:
            import tkinter
        except ImportError as error:
            raise DLCLiveError(
                f"display needs tkinter ({error}): apt install python3-tk, or display=False"
            ) from None
        try:
            self.window = tkinter.Tk()
        except tkinter.TclError as error:
            raise DLCLiveError(f"display finds no screen ({error}); use display=False") from None
        self.window.title("DLC Live")
        self._label = tkinter.Label(self.window, width=im_size[0], height=im_size[1])
        self._label.pack()
        self._colours = keypoint_colours(self.cmap, bodyparts)

    def display_frame(self, frame: npt.NDArray[np.uint8], pose: npt.NDArray[Any] | None = None) -> None:
        """Show a frame.

        Parameters
        ----------
        frame : ndarray
            (H, W, 3) uint8 RGB.
        pose : ndarray, optional
            (K, 3) or (individuals, K, 3) x, y (px of this frame), likelihood.
        """
        poses = np.empty((0, 0, 3)) if pose is None else np.asarray(pose).reshape(-1, *np.shape(pose)[-2:])
        if self.window is None:
            self.set_display((frame.shape[1], frame.shape[0]), poses.shape[1])
        from PIL import ImageTk

        picture = ImageTk.PhotoImage(
            painted(frame, poses, self._colours, self.radius, self.pcutoff), master=self.window
        )
        self._label.configure(image=picture)
        self._label.image = picture
        self.window.update()

    def destroy(self) -> None:
        """Close the window."""
        if self.window is not None:
            self.window.destroy()
            self.window = None


def painted(
    frame: npt.NDArray[np.uint8],
    poses: npt.NDArray[Any],
    palette: Sequence[Colour],
    radius: float,
    pcutoff: float,
    names: Sequence[str] = (),
) -> Image.Image:
    """The frame (H, W, 3) RGB with the keypoints (individuals, K, 3) above `pcutoff`, and their names."""
    picture = Image.fromarray(np.ascontiguousarray(frame))
    canvas = ImageDraw.Draw(picture)
    for pose in poses:
        for part, (x, y, likelihood) in enumerate(pose):
            if not (likelihood > pcutoff and np.isfinite((x, y)).all()):
                continue
            colour = palette[part % len(palette)]
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=colour)
            if part < len(names):
                canvas.text((x + radius + 2, y - radius), names[part], fill=colour)
    return picture


def keypoint_colours(cmap: str, count: int) -> list[Colour]:
    """So many colours: spread over a palette of colorcet where that is installed, else fastpose's own."""
    try:
        import colorcet
    except ImportError:
        return colours(max(count, 1))
    palette: Any = getattr(colorcet, cmap, None)
    if not isinstance(palette, list):
        raise DLCLiveError(f"colour map is {cmap!r}; allowed: a palette of colorcet, such as 'bmy'")
    chosen = [palette[number * len(palette) // max(count, 1)] for number in range(max(count, 1))]
    return [(int(hexa[1:3], 16), int(hexa[3:5], 16), int(hexa[5:7], 16)) for hexa in chosen]
