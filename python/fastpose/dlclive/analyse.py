"""`analyze_video`: poses of a whole video through `DLCLive`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import track

from fastpose.dlclive.benchmark import get_system_info
from fastpose.dlclive.dlclive import DLCLive
from fastpose.dlclive.recording import LabelledVideo, bgr_frames, write_poses
from fastpose.dlclive.utils import bgr_to_rgb
from fastpose.hosts.probe import probe

__all__ = ["analyze_video"]


def analyze_video(
    model_path: str | Path,
    video_path: str | Path,
    model_type: str = "base",
    device: str | None = None,
    precision: str = "FP32",
    *,
    pcutoff: float = 0.5,
    display: bool = False,
    display_radius: int = 5,
    resize: float | None = None,
    cropping: Sequence[int] | None = None,
    dynamic: tuple[bool, float, float] = (False, 0.5, 10),
    save_poses: bool = False,
    save_dir: str | Path = "model_predictions",
    draw_keypoint_names: bool = False,
    cmap: str = "bmy",
    get_sys_info: bool = True,
    save_video: bool = False,
) -> tuple[list[npt.NDArray[Any]], list[float]]:
    """Find the pose in every readable frame of a video.

    For DeepLabCut's own files with a scorer and a row for each frame, use ``fastpose analyze``.

    Parameters
    ----------
    model_path, model_type, device, precision, pcutoff, display, display_radius, resize, cropping, dynamic,
    cmap
        As for `DLCLive`.
    video_path : path-like
    save_poses : bool
        Write ``<save_dir>/<video>_poses_<time>.h5`` and ``.csv``.
    save_dir : path-like
        Folder of the files; made if need be.
    draw_keypoint_names : bool
        Write the names into the labelled video.
    get_sys_info : bool
        Write what ran here beside the poses, as json.
    save_video : bool
        Write ``<video>_DLCLIVE_LABELLED_<time>.mp4``.

    Returns
    -------
    poses : list of ndarray
        As `DLCLive.get_pose` returns them.
    times : list of float
        Seconds of each; the first one compiles the network.

    Raises
    ------
    CameraError
        The video cannot be read.
    """
    facts = probe(video_path)
    live = DLCLive(
        model_path, model_type, precision, device=device, cropping=cropping, dynamic=dynamic, resize=resize,
        display=display, pcutoff=pcutoff, display_radius=display_radius, display_cmap=cmap,
    )  # fmt: skip
    names = list(live.cfg["metadata"]["bodyparts"])
    stamp = time.strftime("%Y%m%d_%H%M%S")
    stem = Path(save_dir) / Path(video_path).stem
    if save_poses or save_video:
        stem.parent.mkdir(parents=True, exist_ok=True)
    labelled = None
    if save_video:
        target = stem.with_name(f"{stem.name}_DLCLIVE_LABELLED_{stamp}.mp4")
        shown = names if draw_keypoint_names else ()
        labelled = LabelledVideo(target, facts.rate_hz, cmap, display_radius, pcutoff, shown)
    try:
        poses, times = _analysed(live, bgr_frames(video_path), facts.frames, labelled)
    finally:
        live.close()
        if labelled is not None:
            labelled.close()
    if save_poses:
        write_poses(stem.with_name(f"{stem.name}_poses_{stamp}"), poses, names)
        if get_sys_info:
            stem.with_name(f"{stem.name}_system_{stamp}.json").write_text(
                json.dumps(get_system_info(), indent=2)
            )
    return poses, times


def _analysed(
    live: DLCLive, frames: Any, total: int | None, labelled: LabelledVideo | None
) -> tuple[list[npt.NDArray[Any]], list[float]]:
    poses: list[npt.NDArray[Any]] = []
    times: list[float] = []
    frame: npt.NDArray[np.uint8]
    for frame in track(frames, description="analyze", total=total):
        start = time.perf_counter()
        pose = live.get_pose(frame) if live.is_initialized else live.init_inference(frame)
        times.append(time.perf_counter() - start)
        poses.append(pose)
        if labelled is not None:
            labelled.write(bgr_to_rgb(frame), pose)
    return poses, times
