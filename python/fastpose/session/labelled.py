"""The labelled video: recorded frames with keypoints, zones and the state of rules and outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from fastpose.errors import RecordError
from fastpose.session.atomic import replacing
from fastpose.session.drawing import Colour, Overlay, Rgb, colours, draw_pose, draw_text, to_rgb
from fastpose.session.events import events_of
from fastpose.session.frames import CameraFrames, Int64, camera_frames
from fastpose.session.poses import PoseTable, pose_tables
from fastpose.session.recorded import PIXEL_FORMAT_TAG, displayed_pixels
from fastpose.session.source import CameraLogs, SessionLogs, mapping, read_session
from fastpose.session.states import StateTrack, state_tracks
from fastpose.session.video_file import video_rate, video_state

__all__ = ["encode_video", "write_labelled_video"]

Progress = Callable[[int, int], None]  # frames done, frames in all

_ZONE: Colour = (120, 200, 255)
_OFF: Colour = (165, 165, 165)
_RULE_ON: Colour = (255, 220, 80)
_OUTPUT_ON: Colour = (255, 105, 80)
_PLAIN: Colour = (235, 235, 235)


def write_labelled_video(
    session_dir: str | Path,
    camera: str | None = None,
    min_likelihood: float = 0.6,
    *,
    filtered: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write `labelled_<camera>.mp4` into the session folder.

    Every frame of the recorded video is drawn, with the keypoints that the network found on that very frame.

    Parameters
    ----------
    session_dir : path
    camera : str, optional
        The camera that has poses and a video, when left out.
    min_likelihood : float
        Keypoints below are not drawn.
    filtered : bool
        Draw the filter's keypoints instead of the network's.
    progress : callable, optional
        Called after each frame with the frames done and those in all.

    Returns
    -------
    Path

    Raises
    ------
    RecordError
        There is no such camera or no video of it, or the file cannot be written.
    """
    logs = read_session(Path(session_dir))
    chosen = _camera_logs(logs, camera)
    frames = camera_frames(chosen, video_state(chosen.video_path).frames)
    poses = [
        table for table in pose_tables(logs, frames) if table.field == ("filtered" if filtered else "raw")
    ]
    painter = _Painter(logs, frames, poses[0] if poses else None, min_likelihood, progress)
    target = logs.session_dir / f"labelled_{chosen.camera}.mp4"
    try:
        with replacing(target) as temporary:
            encode_video(temporary, video_rate(chosen.video_path), painter.painted(chosen.video_path))
    except av.error.FFmpegError as error:
        raise RecordError(f"cannot write '{target}': {error}") from error
    return target


def _camera_logs(logs: SessionLogs, camera: str | None) -> CameraLogs:
    with_video = {
        name: found for name, found in logs.cameras.items() if found.video_path.exists() and found.video
    }
    if camera is None:
        camera = logs.pose_camera if logs.pose_camera in with_video else next(iter(with_video), None)
    if camera is None or camera not in with_video:
        asked = f"camera '{camera}'" if camera else "any camera"
        have = ", ".join(with_video) or "none"
        raise RecordError(f"'{logs.session_dir}' has no video of {asked}; cameras with a video: {have}")
    return with_video[camera]


def encode_video(path: Path, rate: Fraction, frames: Iterator[Rgb]) -> None:
    """Write RGB frames as H.264; raises RecordError if there is none."""
    with av.open(str(path), "w") as container:
        stream: Any = None
        for frame in frames:
            if stream is None:
                stream = container.add_stream("libx264", rate=rate.limit_denominator(65_535))
                stream.height, stream.width = (side + side % 2 for side in frame.shape[:2])
                stream.pix_fmt, stream.options = "yuv420p", {"crf": "18", "preset": "veryfast"}
            padded = np.pad(
                frame, [(0, stream.height - frame.shape[0]), (0, stream.width - frame.shape[1]), (0, 0)]
            )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")))
        if stream is None:
            raise RecordError(f"the video of '{path.parent}' holds no frame that can be read")
        container.mux(stream.encode(None))


class _Painter:
    """Draws one frame after the other."""

    def __init__(
        self,
        logs: SessionLogs,
        frames: CameraFrames,
        poses: PoseTable | None,
        min_likelihood: float,
        progress: Progress | None,
    ) -> None:
        self._progress = progress
        self._poses, self._min_likelihood = poses, min_likelihood
        self._ids = frames.ids_in_video
        own = frames.camera == logs.pose_camera
        self._zones = zone_outlines(logs.config) if own else {}
        self._overlay: Overlay | None = None
        self._row_of_video = np.argsort(
            np.where(frames.video_frame < 0, np.iinfo(np.int64).max, frames.video_frame)
        )
        self._times_s = _times_s(frames, logs.start_monotonic_ns)
        self._tracks = state_tracks(logs, frames, events_of(logs, frames.camera))
        self._bodyparts = poses.log.names("bodyparts") if poses else []
        self._skeleton = skeleton(logs, self._bodyparts)

    def painted(self, video: Path) -> Iterator[Rgb]:
        """Every frame of the video, drawn on."""
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            pixel_format = container.metadata.get(PIXEL_FORMAT_TAG, "")
            for number, frame in enumerate(islice(container.decode(stream), len(self._ids))):
                yield self._paint(displayed_pixels(frame, pixel_format), number)
                if self._progress is not None:
                    self._progress(number + 1, len(self._ids))

    def _paint(self, pixels: npt.NDArray[np.uint8], number: int) -> Rgb:
        canvas = to_rgb(pixels)
        if self._overlay is None:
            self._overlay = Overlay(canvas.shape[:2], self._zones.values(), _ZONE)
        self._overlay.draw(canvas)
        self._write_state(canvas, number)
        if self._poses is None:
            return canvas
        keypoints = self._poses.values(number, number + 1).reshape(-1, len(self._bodyparts), 3)
        return draw_pose(canvas, keypoints, skeleton=self._skeleton, min_likelihood=self._min_likelihood)

    def _write_state(self, canvas: Rgb, number: int) -> None:
        size_px = max(12, canvas.shape[0] // 34)
        row = int(self._row_of_video[number])
        at = f"frame {int(self._ids[number])}   {self._times_s[row]:.3f} s"
        below = draw_text(canvas, 8, 6, at, _PLAIN, size_px=size_px)
        for track in self._tracks:
            colour, content = _shown(track, row)
            below = draw_text(canvas, 8, below, content, colour, size_px=size_px)
        for place, (part, colour) in enumerate(
            zip(self._bodyparts, colours(len(self._bodyparts)), strict=True)
        ):
            y = canvas.shape[0] - (size_px + 9) * (len(self._bodyparts) - place)
            draw_text(canvas, 8, y, part, colour, size_px=size_px)


def _shown(track: StateTrack, row: int) -> tuple[Colour, str]:
    value = int(track.values[row])
    if track.kind == "state":
        return _PLAIN, f"state: {track.labels[value] if 0 <= value < len(track.labels) else value}"
    on = _RULE_ON if track.kind == "rule" else _OUTPUT_ON
    words = ("false", "true") if track.kind == "rule" else ("low", "HIGH")
    return (on if value else _OFF), f"{track.name}: {words[value != 0]}"


def _times_s(frames: CameraFrames, start_ns: int | None) -> npt.NDArray[np.float64]:
    stamps: Int64 = frames.records["exposure_start_ns"]
    zero = start_ns if start_ns is not None else (int(stamps[stamps != 0].min()) if stamps.any() else 0)
    return np.where(stamps != 0, (stamps - zero) / 1e9, np.nan)


def skeleton(logs: SessionLogs, bodyparts: list[str]) -> list[tuple[int, int]]:
    """Pairs of bodyparts that the model joins; [] when unknown."""
    told = mapping(logs.meta, "model").get("skeleton") or logs.meta.get("skeleton") or []
    pairs = [(a, b) for a, b in told if a in bodyparts and b in bodyparts]
    return [(bodyparts.index(a), bodyparts.index(b)) for a, b in pairs]


def zone_outlines(config: dict[str, Any]) -> dict[str, npt.NDArray[np.float64]]:
    """Closed outlines (n, 2) of the config's zones, px."""
    return {name: _outline(zone) for name, zone in mapping(config, "zones").items()}


def _outline(zone: dict[str, Any]) -> npt.NDArray[np.float64]:
    if zone.get("circle"):
        turn = np.linspace(0, 2 * np.pi, 65)
        circle = np.stack([np.cos(turn), np.sin(turn)], axis=1) * zone["circle"]["radius_px"]
        return np.asarray(circle + zone["circle"]["center"])
    if zone.get("rectangle"):
        x, y, width, height = (zone["rectangle"][key] for key in ("x", "y", "width", "height"))
        corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
    else:
        corners = zone.get("polygon") or []
    return np.array([*corners, *corners[:1]], np.float64).reshape(-1, 2)
