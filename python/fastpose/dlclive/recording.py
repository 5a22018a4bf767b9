"""Reads video frames as OpenCV gives them, writes labelled videos and poses: what the benchmarks share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pandas as pd

from fastpose.dlclive.display import Colour, keypoint_colours, painted
from fastpose.errors import CameraError
from fastpose.hosts.pixels import SlotFiller
from fastpose.hosts.reader import VideoReader
from fastpose.session.poses import mark_for_older_pandas

__all__ = ["LabelledVideo", "bgr_frames", "write_poses"]


def bgr_frames(path: str | Path, limit: int | None = None) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames (H, W, 3) uint8 BGR of a video, at most `limit`; those that cannot be read are left out.

    Raises
    ------
    CameraError
        The file cannot be opened, or holds no frame.
    """
    filler: SlotFiller | None = None
    count = 0
    for item in VideoReader(path):
        if count == limit:
            break
        if item.frame is None:
            continue
        if filler is None:
            size = item.frame.width, item.frame.height
            filler = SlotFiller(*size, "bgr8")
        slot = np.empty((size[1], size[0], 3), np.uint8)
        if filler.fill(item.frame, slot):
            count += 1
            yield slot
    if not count and limit != 0:
        raise CameraError(f"'{path}' holds no frame that can be read")


class LabelledVideo:
    """An mp4 of frames with their keypoints.

    Parameters
    ----------
    path : Path
    rate_hz : float
    cmap, radius, pcutoff
        As `fastpose.dlclive.Display` has them.
    names : sequence of str
        Written beside the keypoints; empty: none.
    """

    def __init__(
        self, path: Path, rate_hz: float, cmap: str, radius: float, pcutoff: float, names: Sequence[str] = ()
    ) -> None:
        self.path, self._radius, self._pcutoff, self._names, self._cmap = path, radius, pcutoff, names, cmap
        self._container: Any = av.open(str(path), "w")
        self._stream: Any = self._container.add_stream(
            "libx264", rate=Fraction(rate_hz).limit_denominator(1001)
        )
        self._stream.pix_fmt, self._stream.options = "yuv420p", {"crf": "20", "preset": "veryfast"}
        self._palette: list[Colour] = []

    def write(self, rgb: npt.NDArray[np.uint8], pose: npt.NDArray[Any]) -> None:
        """Append a frame (H, W, 3) RGB with its pose (..., K, 3) in px of it."""
        poses = np.asarray(pose).reshape(-1, *np.shape(pose)[-2:])
        if not self._palette:
            self._palette = keypoint_colours(self._cmap, poses.shape[1])
            self._stream.height, self._stream.width = (side + side % 2 for side in rgb.shape[:2])
        drawn = np.asarray(painted(rgb, poses, self._palette, self._radius, self._pcutoff, self._names))
        below, right = self._stream.height - drawn.shape[0], self._stream.width - drawn.shape[1]
        padded = np.pad(drawn, [(0, below), (0, right), (0, 0)])
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")))

    def close(self) -> None:
        """Finish the file."""
        if self._palette:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def write_poses(
    stem: Path, poses: Sequence[npt.NDArray[Any]], bodyparts: Sequence[str], *, frame_numbers: bool = False
) -> list[Path]:
    """Write poses as ``<stem>.h5`` (key ``df_with_missing``) and ``<stem>.csv``, columns as DeepLabCut-live
    has them.

    Parameters
    ----------
    stem : Path
    poses : sequence of ndarray
        (K, 3) or (individuals, K, 3) each; individuals may differ in number, absent ones are NaN.
    bodyparts : sequence of str
        The K names.
    frame_numbers : bool
        Write the row number as first column of the csv.

    Returns
    -------
    list of Path
    """
    several = any(np.ndim(pose) == 3 for pose in poses)
    individuals = max((len(pose) for pose in poses if np.ndim(pose) == 3), default=1) or 1
    values = np.full((len(poses), individuals, len(bodyparts), 3), np.nan)
    for row, pose in zip(values, poses, strict=True):
        pose = np.asarray(pose).reshape(-1, len(bodyparts), 3)
        row[: len(pose)] = pose
    levels: dict[str, list[str]] = {"bodyparts": list(bodyparts), "coords": ["x", "y", "likelihood"]}
    if several:
        levels = {"individuals": [f"individual_{number}" for number in range(individuals)], **levels}
    columns = pd.MultiIndex.from_product(list(levels.values()), names=list(levels))
    table = pd.DataFrame(values.reshape(len(poses), len(columns)), columns=columns)
    h5, text = stem.with_name(stem.name + ".h5"), stem.with_name(stem.name + ".csv")
    with pd.HDFStore(str(h5), mode="w") as store:
        store.put("df_with_missing", table, track_times=False)
        mark_for_older_pandas(store)
    table.to_csv(text, index=frame_numbers)
    return [h5, text]
