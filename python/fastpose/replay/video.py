"""The poses that a network finds in the frames that a session recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose import config as cfg
from fastpose.errors import ConfigError, RecordError
from fastpose.model import load_model
from fastpose.pose import Pose
from fastpose.replay.record import CameraRecord
from fastpose.session.recorded import recorded_frames, video_pixel_format

__all__ = ["poses_of_video"]


def poses_of_video(folder: Path, config: cfg.Config, record: CameraRecord) -> tuple[CameraRecord, int]:
    """The record with the poses of the config's network on the recorded frames.

    Returns
    -------
    CameraRecord
    int
        Processed frames that the video lacks: their recorded pose stands.

    Raises
    ------
    RecordError
        The session recorded no video of this camera, or it cannot be read.
    ConfigError
        The network's poses have another shape, or the config asks for what a replay cannot do.
    """
    video = folder / f"video_{record.camera}.mkv"
    if not video.exists():
        raise RecordError(f"'{video}' is missing: this camera was not recorded; allowed: --from poses")
    spec = _supported(config, record)
    model = load_model(
        spec.path,
        device=spec.device,
        precision=spec.precision,
        threads=spec.threads,
        roi=_rectangle(spec.roi),
        input_size=spec.input_size,
    )
    if model.bodyparts != record.bodyparts:
        raise ConfigError(
            f"model.path is {str(spec.path)!r}: its body parts are {', '.join(model.bodyparts)}; the session "
            f"has {', '.join(record.bodyparts)}: rules and poses would not fit each other"
        )
    rows = {int(frame): row for row, frame in enumerate(record.video_frame) if frame >= 0}
    raw = record.raw.copy()
    pixel_format: cfg.PixelFormat = video_pixel_format(video)
    for index, pixels in enumerate(recorded_frames(video)):
        if index in rows:
            pose = model.estimate(np.ascontiguousarray(pixels), pixel_format=pixel_format)
            raw[rows[index]] = _keypoints(pose, raw.shape[1:])
    return record.with_poses(raw), int((record.video_frame < 0).sum())


def _keypoints(pose: Pose, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    if pose.keypoints.shape != shape:
        raise ConfigError(
            f"model: a pose has shape {pose.keypoints.shape}, the session's have {shape}; allowed: the same"
        )
    return pose.keypoints


def _rectangle(roi: cfg.Rectangle | cfg.TrackedRoi | None) -> tuple[int, int, int, int] | None:
    return (roi.x, roi.y, roi.width, roi.height) if isinstance(roi, cfg.Rectangle) else None


def _supported(config: cfg.Config, record: CameraRecord) -> cfg.Model:
    """The network of this camera, where a replay can run it as a session does."""
    spec = config.network_of(record.camera)
    if spec is None:
        raise ConfigError(f"model: no network sees camera {record.camera!r}; allowed: --from poses")
    if isinstance(spec.roi, cfg.TrackedRoi):
        raise ConfigError(
            "model.roi.track is true: where the roi was depends on the session; allowed: --from poses"
        )
    if spec.device == "fake":
        raise ConfigError("model.device is fake: it does not look at frames; allowed: --from poses")
    if len(record.individuals) > 1:
        raise ConfigError(
            f"camera {record.camera!r} has {len(record.individuals)} individuals: their identities were "
            "settled in the session; allowed: --from poses"
        )
    return spec
