"""A session as exports meet them: several cameras, several individuals, frames that were dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthetic_session import (
    BODYPARTS,
    START_NS,
    Camera,
    Session,
    drop,
    make_frames,
    make_poses,
    make_reactions,
    make_video_log,
    write_video,
)

FRAMES = 60
NOT_PROCESSED = 7  # the loop was busy
NOT_RECORDED = 11  # the encoder did not get it
NO_SNOUT = 20  # the first individual's snout was not found
GONE = 30  # the second individual was not found


def individuals_camera(name: str = "top") -> Camera:
    """Two individuals; one frame not processed, one not in the video, a keypoint and an animal missing."""
    frames = drop(make_frames(FRAMES), [NOT_PROCESSED], 2)
    poses = make_poses(frames, individuals=2)
    for field in ("raw", "filtered"):
        poses[field][poses["frame_id"] == NO_SNOUT, 0, 0] = np.nan
        poses[field][poses["frame_id"] == GONE, 1] = np.nan
    video = make_video_log([number for number in range(FRAMES) if number != NOT_RECORDED])
    return Camera(name, frames, poses, video, individuals=["anna", "bert"])


def single_camera(name: str = "side") -> Camera:
    """One individual; two exposures that the camera lost."""
    frames = drop(make_frames(FRAMES, seed=1), [3, 4], 1)
    return Camera(name, frames, make_poses(frames), make_video_log(np.arange(FRAMES - 2)))


def write_session(folder: Path, cameras: list[Camera], **changes: str) -> Path:
    """Write the session with its videos."""
    session = Session(cameras, make_reactions(cameras[0].frames, 20), **changes)
    session.write(folder)
    for camera in cameras:
        if camera.video is not None and len(camera.video):
            write_video(folder / f"video_{camera.name}.mkv", len(camera.video))
    return folder


def times_s(camera: Camera, frame_ids: np.ndarray) -> np.ndarray:
    """(n,) start of exposure since the start of the session."""
    by_id = dict(zip(camera.frames["frame_id"], camera.frames["exposure_start_ns"], strict=True))
    return np.array([(by_id[number] - START_NS) / 1e9 for number in frame_ids])


def expected(camera: Camera, frame_ids: np.ndarray, field: str = "raw") -> np.ndarray:
    """(n, individuals, K, 3) as logged; NaN where the frame was not processed."""
    out = np.full((len(frame_ids), *camera.poses["raw"].shape[1:]), np.nan, np.float32)
    row = {number: at for at, number in enumerate(camera.poses["frame_id"])}
    for at, number in enumerate(frame_ids):
        if number in row:
            out[at] = camera.poses[field][row[number]]
    return out


def edges() -> list[tuple[int, int]]:
    """The skeleton that a synthetic session's model has."""
    return [(0, 1), (0, 2), (1, 3)]


assert BODYPARTS == ("snout", "leftear", "rightear", "tailbase")
