"""`analyze_live_video`: poses from a camera through `DLCLive`, as they come."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from fastpose.dlclive.benchmark import get_system_info
from fastpose.dlclive.dlclive import DLCLive
from fastpose.dlclive.recording import LabelledVideo, write_poses
from fastpose.dlclive.utils import bgr_to_rgb
from fastpose.errors import CameraError

__all__ = ["analyze_live_video", "camera_frames"]

_SYSTEMS = {
    "linux": ("v4l2", "/dev/video{}"),
    "darwin": ("avfoundation", "{}"),
    "win32": ("dshow", "video={}"),
}


def analyze_live_video(
    model_path: str,
    model_type: str = "base",
    device: str | None = None,
    camera: float | str | Path = 0,
    experiment_name: str = "Test",
    precision: str = "FP32",
    snapshot: str | None = None,
    display: bool = True,
    pcutoff: float = 0.5,
    display_radius: int = 5,
    resize: float | None = None,
    cropping: Sequence[int] | None = None,
    dynamic: tuple[bool, float, float] = (False, 0.5, 10),
    save_poses: bool = False,
    save_dir: str = "model_predictions",
    draw_keypoint_names: bool = False,
    cmap: str = "bmy",
    get_sys_info: bool = True,
    save_video: bool = False,
    *,
    n_frames: int | None = None,
) -> tuple[list[npt.NDArray[Any]], list[float]]:
    """Find the pose in every frame of a camera until Ctrl-C, the camera's end or `n_frames`.

    For a look at a model; an experiment with its latencies, recording and outputs is ``fastpose run``.

    Parameters
    ----------
    camera : int, str or Path
        Number of a camera of the system, or anything that FFmpeg opens: a file, an rtsp:// address.
    experiment_name : str
        Start of the names of the files.
    snapshot : str, optional
        Ignored: the exported model holds one.
    n_frames : int, optional
        Frames after which to stop.
    model_path, model_type, device, precision, display, pcutoff, display_radius, resize, cropping, dynamic,
    cmap
        As for `DLCLive`.
    save_poses, save_dir, draw_keypoint_names, get_sys_info, save_video
        As for `analyze_video`; the csv has the columns frame, <bodypart>_x, <bodypart>_y,
        <bodypart>_confidence.

    Returns
    -------
    poses : list of ndarray
    times : list of float
        Seconds of each `DLCLive.get_pose`.

    Raises
    ------
    CameraError
        The camera cannot be opened.
    """
    live = DLCLive(
        model_path, model_type, precision, device=device, cropping=cropping, dynamic=dynamic, resize=resize,
        display=display, pcutoff=pcutoff, display_radius=display_radius, display_cmap=cmap,
    )  # fmt: skip
    names = list(live.cfg["metadata"]["bodyparts"])
    stamp = time.strftime("%Y%m%d_%H%M%S")
    folder = Path(save_dir)
    if save_poses or save_video:
        folder.mkdir(parents=True, exist_ok=True)
    poses: list[npt.NDArray[Any]] = []
    times: list[float] = []
    labelled: LabelledVideo | None = None
    try:
        for frame, rate_hz in islice(camera_frames(camera), n_frames):
            start = time.perf_counter()
            pose = live.get_pose(frame) if live.is_initialized else live.init_inference(frame)
            times.append(time.perf_counter() - start)
            poses.append(pose)
            if save_video:
                labelled = labelled or LabelledVideo(
                    folder / f"{experiment_name}_DLCLIVE_LABELLED_{stamp}.mp4", rate_hz, cmap, display_radius,
                    pcutoff, names if draw_keypoint_names else (),
                )  # fmt: skip
                labelled.write(bgr_to_rgb(frame), pose)
    except KeyboardInterrupt:
        pass
    finally:
        live.close()
        if labelled is not None:
            labelled.close()
    if save_poses:
        stem = folder / f"{experiment_name}_poses_{stamp}"
        write_poses(stem, poses, names)
        _write_flat_csv(stem.with_name(stem.name + ".csv"), poses, names)
        if get_sys_info:
            system = folder / f"{experiment_name}_system_{stamp}.json"
            system.write_text(json.dumps(get_system_info(), indent=2))
    return poses, times


def camera_frames(camera: float | str | Path) -> Iterator[tuple[npt.NDArray[np.uint8], float]]:
    """Frames (H, W, 3) uint8 BGR of a camera, each with its rate in Hz.

    Raises
    ------
    CameraError
        It cannot be opened.
    """
    name, options = str(camera), {}
    if isinstance(camera, int | float):
        kind, pattern = _SYSTEMS.get(sys.platform, _SYSTEMS["linux"])
        name, options = pattern.format(int(camera)), {"format": kind}
    try:
        container: Any = av.open(name, **options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise CameraError(
            f"camera {camera!r} cannot be opened as {name} ({error}); allowed: the number of a camera, a "
            "file, an rtsp:// address"
        ) from None
    with container:
        stream = container.streams.video[0]
        rate_hz = float(stream.guessed_rate or stream.average_rate or 30)
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="bgr24"), rate_hz


def _write_flat_csv(path: Path, poses: Sequence[npt.NDArray[Any]], names: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        fields = [f"{name}_{field}" for name in names for field in ("x", "y", "confidence")]
        writer.writerow(["frame", *fields])
        for number, pose in enumerate(poses):
            writer.writerow([number, *np.asarray(pose).reshape(-1)[: len(fields)].tolist()])
