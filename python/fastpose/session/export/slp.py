"""SLEAP: predicted instances on the frames of the recorded videos, tracks for several individuals, events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import RecordError
from fastpose.session.atomic import replacing
from fastpose.session.events import event_records
from fastpose.session.export.content import CLOCK, Animal, Content, ContentCamera, require_folder_of
from fastpose.session.export.extra import require
from fastpose.session.states import StateTrack, state_tracks

__all__ = ["default_name", "write"]


def default_name(content: Content) -> str:
    """Name of the file in the session folder."""
    return f"{content.name}.slp"


def write(content: Content, path: Path) -> list[str]:
    """Write one .slp file of all cameras; returns what it leaves out.

    SLEAP has no clock: a pose belongs to a frame of the video, whose presentation times are exposure times.

    Raises
    ------
    RecordError
        A camera with poses has no video, the file cannot be written, or the extra `export` is missing.
    """
    require_folder_of(path)
    sleap_io = require("sleap_io")
    cameras = content.with_poses("slp")
    _require_videos(content, cameras)
    frames: list[Any] = []
    videos: dict[str, Any] = {}
    for camera in cameras:
        video = videos[camera.name] = _video(sleap_io, camera)
        frames += _labelled_frames(sleap_io, camera, video, several=len(cameras) > 1)
    labels = sleap_io.Labels(
        labeled_frames=frames, videos=list(videos.values()), events=_events(sleap_io, content, videos)
    )
    labels.provenance.update(_provenance(content, cameras))
    with replacing(path) as temporary:
        sleap_io.save_slp(labels, str(temporary), embed=False, verbose=False)
    return _left_out(cameras)


def _require_videos(content: Content, cameras: list[ContentCamera]) -> None:
    without = [camera.name for camera in cameras if camera.video is None]
    if without:
        raise RecordError(
            f"'{content.logs.session_dir}': camera {', '.join(without)} has no video, and SLEAP's poses "
            "belong to frames of a video; allowed: --camera of one with a video, or --to nwb, alf or dlc"
        )


def _left_out(cameras: list[ContentCamera]) -> list[str]:
    return [
        f"camera {camera.name}: {camera.unrecorded} pose(s) of frames that the video lacks are left out"
        for camera in cameras
        if camera.unrecorded
    ]


def _provenance(content: Content, cameras: list[ContentCamera]) -> dict[str, Any]:
    return {
        "software": f"fastpose {content.version}",
        "session": content.name,
        "subject": content.subject,
        "session_start": content.start.isoformat(),
        "scorer": {camera.name: camera.header.scorer for camera in cameras if camera.header},
        "keypoints": cameras[0].field,
        "clock": f"frames of the video, whose presentation times are exposure times; time_s: {CLOCK}",
    }


def _video(sleap_io: Any, camera: ContentCamera) -> Any:
    assert camera.video is not None
    video = sleap_io.Video(filename=str(camera.video.resolve()), open_backend=False)
    if camera.size_px is not None:
        width, height = camera.size_px
        video.backend_metadata["shape"] = (len(camera.row_ids), height, width, 1)
    return video


def _labelled_frames(sleap_io: Any, camera: ContentCamera, video: Any, *, several: bool) -> list[Any]:
    """A frame for each one in the video on which something was found."""
    record = camera.records(camera.row_ids)
    instances: dict[int, list[Any]] = {}
    skeletons = _skeletons(sleap_io, camera)
    for animal in camera.animals:
        track = _track(sleap_io, camera, animal, several=several)
        keypoints = camera.keypoints(record, animal)
        found = np.flatnonzero(np.isfinite(keypoints[..., :2]).all(axis=-1).any(axis=-1))
        for row in found:
            made = _instance(sleap_io, keypoints[row], skeletons[animal.bodyparts], track)
            instances.setdefault(int(row), []).append(made)
    return [
        sleap_io.LabeledFrame(video=video, frame_idx=row, instances=own)
        for row, own in sorted(instances.items())
    ]


def _skeletons(sleap_io: Any, camera: ContentCamera) -> dict[tuple[str, ...], Any]:
    """One skeleton for the individuals that have the same body parts."""
    made: dict[tuple[str, ...], Any] = {}
    for animal in camera.animals:
        if animal.bodyparts not in made:
            name = camera.name if not made else f"{camera.name}_{animal.name}"
            made[animal.bodyparts] = sleap_io.Skeleton(
                nodes=list(animal.bodyparts), edges=camera.edges_of(animal), name=name
            )
    return made


def _track(sleap_io: Any, camera: ContentCamera, animal: Animal, *, several: bool) -> Any:
    """None for a single animal. Individuals are told apart within a camera, not across cameras."""
    if len(camera.animals) < 2:
        return None
    return sleap_io.Track(name=f"{camera.name}_{animal.name}" if several else animal.name)


def _instance(sleap_io: Any, keypoints: npt.NDArray[np.float32], skeleton: Any, track: Any) -> Any:
    likelihood = keypoints[:, 2].astype(np.float64)
    return sleap_io.PredictedInstance.from_numpy(
        points_data=keypoints[:, :2].astype(np.float64),
        point_scores=np.nan_to_num(likelihood),
        score=float(np.nanmean(likelihood)) if np.isfinite(likelihood).any() else 0.0,
        skeleton=skeleton,
        track=track,
    )


def _events(sleap_io: Any, content: Content, videos: dict[str, Any]) -> list[Any]:
    """Bouts of rules, outputs and states, as first and last frame of the video of the protocol's camera."""
    camera = next((found for found in content.cameras if found.name == content.logs.pose_camera), None)
    if camera is None or camera.name not in videos:
        return []
    tracks = state_tracks(content.logs, camera.frames, event_records(content.logs))
    at = camera.frames.video_frame
    rows = np.flatnonzero(at >= 0)[np.argsort(at[at >= 0], kind="stable")]
    times_s = camera.times_s(camera.row_ids)
    return [
        made
        for track in tracks
        for made in _bouts(sleap_io, track, track.values[rows], times_s, videos[camera.name])
    ]


def _bouts(sleap_io: Any, track: StateTrack, values: Any, times_s: Any, video: Any) -> list[Any]:
    if not len(values):
        return []
    starts = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    ends = np.append(starts[1:], len(values)) - 1
    kept = [
        (start, end) for start, end in zip(starts, ends, strict=True) if track.labels or values[start] == 1
    ]
    return [
        sleap_io.PredictedEvent(
            type=f"{track.kind}:{_label(track, int(values[start]))}",
            video=video,
            start_frame=int(start),
            end_frame=int(end),
            source="fastpose",
            metadata={"time_s": f"{times_s[start]:.9f}"},
        )
        for start, end in kept
    ]


def _label(track: StateTrack, value: int) -> str:
    if not track.labels:
        return track.name
    return track.labels[value] if 0 <= value < len(track.labels) else str(value)
