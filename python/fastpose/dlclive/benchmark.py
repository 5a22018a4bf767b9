"""Measures `DLCLive` on videos, under the original's names."""

from __future__ import annotations

import pickle
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import track

from fastpose.dlclive.dlclive import DLCLive
from fastpose.dlclive.recording import LabelledVideo, bgr_frames, write_poses
from fastpose.dlclive.utils import bgr_to_rgb
from fastpose.errors import ConfigError
from fastpose.hosts.probe import probe

__all__ = ["benchmark", "benchmark_videos", "get_system_info", "save_inf_times"]

Times = npt.NDArray[np.float64]


def benchmark_videos(
    model_path: str | Path,
    model_type: Any,
    video_path: Any = None,
    output: str | Path | None = None,
    n_frames: int = 1000,
    tf_config: Any = None,
    resize: Any = None,
    pixels: Any = None,
    cropping: Sequence[int] | None = None,
    dynamic: tuple[bool, float, float] = (False, 0.5, 10),
    print_rate: bool = False,
    display: bool = False,
    pcutoff: float = 0.5,
    display_radius: int = 3,
    cmap: str = "bmy",
    save_poses: bool = False,
    save_video: bool = False,
    single_animal: bool = True,
) -> list[Path]:
    """Measure one or several videos at one or several sizes.

    Parameters
    ----------
    model_path : path-like
    model_type : str
        As for `DLCLive`. May be left out: the README of the original has the videos in its place.
    video_path : path-like or sequence
        One video or several.
    output : path-like, optional
        Folder for the timing files; poses and labelled videos go there too, else beside each video.
    n_frames : int
        Frames of each video, after the first one, which is not timed: it compiles the network.
    resize, pixels : float or sequence, optional
        Factors, or numbers of px that a frame is brought to; give one of the two.
    print_rate : bool
        Show progress.
    tf_config, cropping, dynamic, display, pcutoff, display_radius, cmap, single_animal
        As for `DLCLive`.
    save_poses, save_video : bool
        Write h5 and csv, and a labelled video, for each run.

    Returns
    -------
    list of Path
        The timing files: pickles of a plain dictionary.

    Raises
    ------
    ConfigError
        No video, or both `resize` and `pixels`.
    CameraError
        A video cannot be read.
    """
    if video_path is None:
        model_type, video_path = "base", model_type
    videos = [video_path] if isinstance(video_path, str | Path) else list(video_path)
    if resize is not None and pixels is not None:
        raise ConfigError("resize and pixels are both given; allowed: one of them")
    written = []
    for video in videos:
        runs = []
        for factor, count in _sizes(resize, pixels):
            run = benchmark(
                str(model_path),
                model_type,
                str(video),
                tf_config=tf_config,
                resize=factor,
                pixels=count,
                single_animal=single_animal,
                cropping=cropping,
                dynamic=dynamic,
                n_frames=n_frames,
                print_rate=print_rate,
                display=display,
                pcutoff=pcutoff,
                display_radius=display_radius,
                cmap=cmap,
                save_dir=None if output is None else str(output),
                save_poses=save_poses,
                save_video=save_video,
            )
            runs.append(run)
        if output is not None:
            times, sizes, metas = zip(*runs, strict=True)
            system = get_system_info()
            table = np.stack(_same_length(times))
            written.append(save_inf_times(system, table, sizes, str(model_path), metas[0], output))
    return written


def benchmark(
    model_path: str,
    model_type: str,
    video_path: str,
    tf_config: Any = None,
    device: str | None = None,
    resize: float | None = None,
    pixels: int | None = None,
    single_animal: bool = True,
    cropping: Sequence[int] | None = None,
    dynamic: tuple[bool, float, float] = (False, 0.5, 10),
    n_frames: int = 1000,
    print_rate: bool = False,
    precision: str = "FP32",
    display: bool = True,
    pcutoff: float = 0.5,
    display_radius: int = 3,
    cmap: str = "bmy",
    save_dir: str | None = None,
    save_poses: bool = False,
    save_video: bool = False,
    draw_keypoint_names: bool = False,
) -> tuple[Times, tuple[int, int], dict[str, Any]]:
    """Measure one video at one size.

    Parameters
    ----------
    n_frames : int
        Frames that are timed, after the first one; 0: all of them.
    pixels : int, optional
        Bring frames to about so many px in place of `resize`.
    save_dir : str, optional
        Where poses and the labelled video go; default: beside the video.
    model_path, model_type, video_path, ...
        As for `benchmark_videos` and `DLCLive`; unlike there, `device` and `precision` are handed on.

    Returns
    -------
    times : ndarray
        (frames,) seconds of each `get_pose`, without the first frame.
    im_size : tuple of int
        Width and height that the network saw, px, before dynamic cropping.
    meta : dict
        About the video and the arguments.
    """
    facts = probe(video_path)
    width, height = (
        (cropping[1] - cropping[0], cropping[3] - cropping[2]) if cropping else (facts.width, facts.height)
    )
    if pixels is not None:
        resize = float(np.sqrt(pixels / (width * height)))
    live = DLCLive(
        model_path, model_type, precision, tf_config, single_animal, device, cropping=cropping,
        dynamic=dynamic, resize=resize, display=display, pcutoff=pcutoff, display_radius=display_radius,
        display_cmap=cmap,
    )  # fmt: skip
    folder = Path(save_dir) if save_dir else Path(video_path).parent
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / Path(video_path).stem
    stamp = time.strftime("%Y%m%d_%H%M%S")
    names = list(live.cfg["metadata"]["bodyparts"])
    video = None
    if save_video:
        target = stem.with_name(f"{stem.name}_DLCLIVE_LABELLED_{stamp}.mp4")
        shown = names if draw_keypoint_names else ()
        video = LabelledVideo(target, facts.rate_hz, cmap, display_radius, pcutoff, shown)
    try:
        times, poses = _timed(live, video_path, n_frames or None, print_rate, video)
    finally:
        live.close()
        if video is not None:
            video.close()
    if save_poses:
        write_poses(stem.with_name(f"{stem.name}_poses_{stamp}"), poses, names)
    factor = resize or 1.0
    meta = {
        "video_path": str(video_path),
        "video_codec": "",
        "video_pixel_format": facts.pix_format,
        "video_fps": facts.rate_hz,
        "video_total_frames": facts.frames,
        "original_frame_size": (facts.width, facts.height),
        "dlclive_params": {**live.parameterization, "cfg": None, "processor": None, "path": str(live.path)},
        "video": asdict(facts),
    }
    return times, (int(width * factor), int(height * factor)), meta


def get_system_info() -> dict[str, Any]:
    """What runs here, under the original's keys."""
    return {
        "host_name": platform.node().replace(" ", ""),
        "op_sys": platform.platform(),
        "python": sys.executable,
        "device_type": "CPU",
        "device": [platform.processor() or platform.machine()],
        "freeze": sorted(f"{each.name}=={each.version}" for each in metadata.distributions()),
        "python_version": platform.python_version(),
        "git_hash": None,
        "dlclive_version": "1.1.0",
    }


def save_inf_times(
    sys_info: dict[str, Any],
    inf_times: Times,
    im_size: Sequence[tuple[int, int]],
    model: str | None = None,
    meta: dict[str, Any] | None = None,
    output: str | Path | None = None,
) -> Path:
    """Write ``benchmark_<host>_<device>_<n>.pickle`` into a folder, n counted up; returns its path.

    Parameters
    ----------
    sys_info : dict
        Of `get_system_info`.
    inf_times : ndarray
        (runs, frames) s.
    im_size : sequence
        Width and height of each run, px.
    model, meta, output
        Path of the model, dictionary of `benchmark`, folder (default: the current one).
    """
    folder = Path(output or ".")
    folder.mkdir(parents=True, exist_ok=True)
    start = f"benchmark_{sys_info['host_name']}_{sys_info['device_type']}_"
    number = 0
    while (path := folder / f"{start}{number}.pickle").exists():
        number += 1
    means, errors = inf_times.mean(axis=1), inf_times.std(axis=1) / np.sqrt(inf_times.shape[1])
    content = {
        "model": model,
        "im_size": [tuple(size) for size in im_size],
        "inference_times": inf_times,
        "stats": list(zip(means.tolist(), errors.tolist(), strict=True)),
        **sys_info,
        **(meta or {}),
    }
    path.write_bytes(pickle.dumps(content))
    return path


def _timed(
    live: DLCLive, video: str, limit: int | None, print_rate: bool, labelled: LabelledVideo | None
) -> tuple[Times, list[npt.NDArray[Any]]]:
    times, poses = [], []
    frames = bgr_frames(video, None if limit is None else limit + 1)
    for frame in track(frames, description=Path(video).name, disable=not print_rate):
        start = time.perf_counter()
        pose = live.get_pose(frame) if live.is_initialized else live.init_inference(frame)
        times.append(time.perf_counter() - start)
        poses.append(pose)
        if labelled is not None:
            labelled.write(bgr_to_rgb(frame), pose)
    return np.asarray(times[1:] or times), poses


def _numbers(values: Any) -> list[float]:
    if values is None:
        return []
    return [float(value) for value in (values if isinstance(values, list | tuple) else [values])]


def _sizes(resize: Any, pixels: Any) -> list[tuple[float | None, int | None]]:
    """Factor and number of px of each run; one of them is None."""
    if resize is None and pixels is None:
        return [(None, None)]
    return [(factor, None) for factor in _numbers(resize)] + [
        (None, int(count)) for count in _numbers(pixels)
    ]


def _same_length(times: Sequence[Times]) -> list[Times]:
    shortest = min(len(each) for each in times)
    return [each[:shortest] for each in times]
