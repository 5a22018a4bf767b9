"""Makes session folders whose every number is known, without an engine: logs, meta data and videos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from fastpose.session.log import EVENT_DTYPE, FRAME_DTYPE, VIDEO_DTYPE, LogWriter, log_header, pose_dtype

START_NS = 5_000_000_000_000
START_UNIX_NS = 1_790_000_000_250_000_000
BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
RULES = ("in_corner", "fast")
OUTPUTS = ("laser", "feeder")
# Median duration of each stage, us, in the order of the stamps.
STAGE_US = {
    "received_ns": 2600,
    "dequeued_ns": 60,
    "preprocessed_ns": 90,
    "inferred_ns": 4200,
    "decoded_ns": 25,
    "filtered_ns": 8,
    "decided_ns": 12,
}


@dataclass
class Camera:
    """The logs of one camera before they are written.

    Attributes
    ----------
    frames, poses, video : ndarray
        Structured records; an empty `video` still makes a log, None makes none.
    """

    name: str
    frames: np.ndarray
    poses: np.ndarray
    video: np.ndarray | None = None
    individuals: Sequence[str] = ()
    bodyparts: Sequence[str] = BODYPARTS
    unique_bodyparts: Sequence[str] = ()


@dataclass
class Session:
    """Everything of a session folder before it is written."""

    cameras: list[Camera]
    events: np.ndarray = field(default_factory=lambda: np.zeros(0, EVENT_DTYPE))
    filter_type: str = "one_euro"
    deadline_ms: float | None = None
    ended: dict[str, Any] | None = field(default_factory=lambda: {"ended": "duration", "error": None})

    def write(self, folder: Path) -> Path:
        """Write the log folder; returns the session folder."""
        log = folder / "log"
        log.mkdir(parents=True)
        (log / "meta.json").write_text(json.dumps(self.meta()))
        if self.ended is not None:
            (log / "ended.json").write_text(json.dumps(self.ended))
        for camera in self.cameras:
            _write_camera(log, camera)
        header = log_header(
            "events",
            EVENT_DTYPE,
            camera=self.cameras[0].name,
            rules=RULES,
            outputs=OUTPUTS,
            states=["idle", "on"],
        )
        with LogWriter(log / "events.fplog", header) as writer:
            writer.extend(self.events)
        return folder

    def meta(self) -> dict[str, Any]:
        """What the runner writes before the start."""
        config = {
            "cameras": {camera.name: {"driver": "sim"} for camera in self.cameras},
            "filter": {"type": self.filter_type},
            "zones": {
                "corner": {"polygon": [[0, 0], [60, 0], [60, 50], [0, 50]]},
                "nest": {"circle": {"center": [120, 60], "radius_px": 25}},
                "door": {"rectangle": {"x": 100, "y": 5, "width": 40, "height": 20}},
            },
            "protocol": {"type": "conditional", "deadline_ms": self.deadline_ms},
        }
        return {
            "config": config,
            "monotonic_ns": START_NS,
            "unix_ns": START_UNIX_NS,
            "versions": {"fastpose": "0.1.0", "python": "3.11"},
            "host": {"cpu": "a test", "cores": 2},
            "model": {"skeleton": [["snout", "leftear"], ["snout", "rightear"], ["leftear", "tailbase"]]},
        }


def _write_camera(log: Path, camera: Camera) -> None:
    names: dict[str, Any] = {
        "camera": camera.name,
        "bodyparts": camera.bodyparts,
        "individuals": camera.individuals,
        "unique_bodyparts": camera.unique_bodyparts,
    }
    parts: dict[str, np.ndarray | None] = {
        "frames": camera.frames,
        "poses": camera.poses,
        "video": camera.video,
    }
    for kind, records in parts.items():
        if records is not None:
            header = log_header(kind, records.dtype, **names, scorer="fastpose_mouse")
            with LogWriter(log / f"{kind}_{camera.name}.fplog", header) as writer:
                writer.extend(records)


def make_frames(count: int, *, rate_hz: float = 100.0, seed: int = 0) -> np.ndarray:
    """(count,) frame records of a loop that processed every frame."""
    random = np.random.default_rng(seed)
    frames = np.zeros(count, FRAME_DTYPE)
    frames["frame_id"] = np.arange(count)
    frames["camera_counter"] = 1000 + np.arange(count)
    frames["exposure_start_ns"] = (
        START_NS + 500_000_000 + np.round(np.arange(count) * 1e9 / rate_hz).astype(np.int64)
    )
    frames["camera_timestamp_ns"] = frames["exposure_start_ns"] - 12_000_000_000
    stamp = frames["exposure_start_ns"].copy()
    for name, median_us in STAGE_US.items():
        stamp += np.round(1000 * median_us * random.lognormal(0, 0.06, count)).astype(np.int64)
        if name == "inferred_ns":
            stamp += np.where(random.random(count) < 0.004, random.exponential(4e6, count), 0).astype(
                np.int64
            )
        frames[name] = stamp
    frames["roi_width"], frames["roi_height"] = 256, 256
    return frames


def drop(frames: np.ndarray, rows: Sequence[int], reason: int) -> np.ndarray:
    """Turn rows into drops: 1 camera (no frame), 2 ring (no stamps of the loop), 3 recorder."""
    out = frames.copy()
    for row in rows:
        if reason == 1:
            kept = out["camera_counter"][row]
            out[row] = np.zeros((), FRAME_DTYPE)
            out["frame_id"][row], out["camera_counter"][row] = -1, kept
        if reason == 2:
            for name in ("dequeued_ns", *list(STAGE_US)[2:], "acted_ns"):
                out[name][row] = 0
        out["drop_reason"][row] = reason
    arrived = out["frame_id"] >= 0
    out["frame_id"][arrived] = np.arange(arrived.sum())  # the ring numbers what it gets
    return out


def make_poses(frames: np.ndarray, *, individuals: int = 1, bodyparts: int = len(BODYPARTS)) -> np.ndarray:
    """(m,) pose records of the processed frames: an animal that walks a circle."""
    ids = frames["frame_id"][frames["decided_ns"] != 0]
    poses = np.zeros(len(ids), pose_dtype(individuals, bodyparts))
    poses["frame_id"] = ids
    angle = 2 * np.pi * ids / 100
    for individual in range(individuals):
        for bodypart in range(bodyparts):
            turned = angle + 0.25 * bodypart + 2.5 * individual
            poses["raw"][:, individual, bodypart, 0] = 80 + 50 * np.cos(turned)
            poses["raw"][:, individual, bodypart, 1] = 60 + 40 * np.sin(turned)
            poses["raw"][:, individual, bodypart, 2] = 0.98 - 0.01 * bodypart
    poses["filtered"] = poses["raw"]
    poses["filtered"][..., :2] += 0.5
    return poses


def make_video_log(frame_ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """Records of a video that holds these frames."""
    video = np.zeros(len(frame_ids), VIDEO_DTYPE)
    video["frame_id"] = frame_ids
    return video


def make_reactions(frames: np.ndarray, every: int, *, deadline_ms: float | None = None) -> np.ndarray:
    """Let every so-manieth processed frame raise the laser for 8 ms; fills `acted_ns`, returns the events."""
    events = []
    for row in np.flatnonzero(frames["decided_ns"] != 0)[::every]:
        frame_id, exposure, decided = (
            int(frames[name][row]) for name in ("frame_id", "exposure_start_ns", "decided_ns")
        )
        acted = decided + 18_000 + 13 * (frame_id % 97)
        late = deadline_ms is not None and acted - exposure > deadline_ms * 1e6
        events.append((frame_id, decided, exposure, 0, 0, 1, 0, 0, 0))
        if late:
            events.append((frame_id, acted, exposure, 4, 0, 1, 1, 0, 0))
        else:
            frames["acted_ns"][row] = acted
            events.append((frame_id, acted, exposure, 2, 0, 1, 0, 0, 0))
            events.append((frame_id, acted + 8_000_000, exposure, 2, 0, 0, 2, 0, 0))
        events.append((frame_id, decided + 40_000_000, 0, 0, 0, 0, 0, 0, 0))
    return np.array(events, EVENT_DTYPE)


def write_video(
    path: Path,
    count: int,
    *,
    size: tuple[int, int] = (160, 120),
    codec: str = "libx264",
    pix_fmt: str = "gray",
    pts_ms: Sequence[int] | None = None,
    **options: str,
) -> None:
    """A grey video whose frame n has a bright block that begins in column n % 100; luma is the grey value.

    Frame n is shown at 10 * n ms, or at pts_ms[n].
    """
    random = np.random.default_rng(0)
    with av.open(str(path), "w", options={"cluster_time_limit": "100"}) as container:
        container.metadata["FASTPOSE_PIXEL_FORMAT"] = "mono8"
        stream: Any = container.add_stream(codec, rate=Fraction(100))
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.options = options or (
            {"tune": "zerolatency", "preset": "ultrafast"} if codec == "libx264" else {}
        )
        for number in range(count):
            pixels = np.full((size[1], size[0]), 90, np.uint8)
            pixels[-16:] += random.integers(0, 30, (16, size[0]), np.uint8)  # so that no frame is for free
            pixels[20:60, number % 100 : number % 100 + 40] = 220
            if pix_fmt == "yuv420p":
                pixels = np.vstack([pixels, np.full((size[1] // 2, size[0]), 128, np.uint8)])
            frame = av.VideoFrame.from_ndarray(pixels, format=pix_fmt)
            frame.pts = 10 * number if pts_ms is None else pts_ms[number]
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def cut_off(path: Path, share: float) -> None:
    """Leave a video as a kill does: its first part, with the size of the segment still open."""
    content = bytearray(path.read_bytes())
    at = content.index(b"\x18\x53\x80\x67") + 4
    content[at : at + 8] = b"\x01" + b"\xff" * 7
    path.write_bytes(content[: int(len(content) * share)])


def simple_session(count: int = 300, **changes: Any) -> Session:
    """One camera, every frame processed, reactions every 20 frames, no video."""
    frames = make_frames(count)
    events = make_reactions(frames, 20)
    return Session([Camera("top", frames, make_poses(frames))], events, **changes)
