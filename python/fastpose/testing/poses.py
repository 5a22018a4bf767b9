"""Poses to try a protocol on: those of the simulated animal, of a session, or made by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose import config as cfg
from fastpose.errors import ConfigError
from fastpose.replay.build import acting_camera
from fastpose.replay.record import CameraRecord, read_record
from fastpose.session.log import FRAME_DTYPE
from fastpose.sim import Simulation

__all__ = ["Poses", "recorded_poses", "simulated_poses"]

Ages = npt.NDArray[np.float64]
START_NS = 1_000_000_000
DECIDE_NS = 20_000


@dataclass(frozen=True)
class Poses:
    """Raw poses with the times of their frames.

    Attributes
    ----------
    record : CameraRecord
    simulation : Simulation or None
        Where frames can be rendered.
    """

    record: CameraRecord
    simulation: Simulation | None = None

    def __len__(self) -> int:
        return len(self.record.frames)


def simulated_poses(
    config: cfg.Config, *, seconds: float, age_ms: float | Ages = 8.0, noise_px: float = 0.0
) -> Poses:
    """Where the simulated animal of the config's acting camera is, as a perfect network would find it.

    Parameters
    ----------
    config : Config
        Its acting camera is simulated; of another camera an animal of its size and rate is taken.
    seconds : float
        Length of the session.
    age_ms : float or ndarray
        From the start of the exposure to the decision; of every frame, or of each: (n,).
    noise_px : float
        Standard deviation that is added to x and y.

    Raises
    ------
    ConfigError
        No network sees a camera, seconds is not above 0, or there is not one age for each frame.
    """
    name = config.acting_camera
    if name is None:
        raise ConfigError("model is missing: without poses no protocol runs; give the config a model")
    if not seconds > 0:
        raise ConfigError(f"seconds is {seconds:g}; allowed: above 0")
    simulation, rate_hz = _simulation(config.cameras[name])
    count = max(1, round(seconds * rate_hz))
    if np.ndim(age_ms) and np.shape(age_ms) != (count,):
        raise ConfigError(
            f"age_ms has shape {np.shape(age_ms)}; allowed: a number, or one for each of {count}"
        )
    keypoints = np.stack([simulation.truth(index) for index in range(count)]).astype(np.float32)
    if noise_px:
        noise = np.random.default_rng(0).normal(0, noise_px, keypoints[..., :2].shape)
        keypoints[..., :2] += noise.astype(np.float32)
    individuals = tuple(f"animal{i + 1}" for i in range(keypoints.shape[1])) if keypoints.shape[1] > 1 else ()
    record = made_record(name, keypoints, tuple(simulation.bodyparts), individuals, rate_hz, age_ms)
    return Poses(replace(record, frame_size=simulation.size), simulation)


def _simulation(spec: cfg.Camera) -> tuple[Simulation, float]:
    size = getattr(spec, "size", None) or (640, 480)
    rate_hz = float(getattr(spec, "rate_hz", None) or 100.0)
    if not isinstance(spec, cfg.SimCamera):
        return Simulation(size=size, rate_hz=rate_hz, exposure_us=min(2000.0, 5e5 / rate_hz)), rate_hz
    simulation = Simulation(
        shape=spec.shape,
        coat=spec.coat,
        size=size,
        rate_hz=rate_hz,
        exposure_us=spec.exposure_us,
        pixel_format=spec.pixel_format,
        seed=spec.seed,
        individuals=spec.individuals,
        body_length_px=spec.body_length_px,
        occlusion=spec.occlusion,
    )
    return simulation, rate_hz


def made_record(
    camera: str,
    keypoints: npt.NDArray[np.float32],
    bodyparts: tuple[str, ...],
    individuals: tuple[str, ...],
    rate_hz: float,
    age_ms: float | Ages,
) -> CameraRecord:
    """Poses as a session at a steady rate would have recorded them.

    Parameters
    ----------
    keypoints : ndarray
        (n, individuals, K, 3) float32.
    """
    count = len(keypoints)
    age_ns = np.broadcast_to(np.round(np.asarray(age_ms) * 1e6).astype(np.int64), count)
    half_ns = np.broadcast_to(np.round(np.asarray(age_ms) * 5e5).astype(np.int64), count)
    frames = np.zeros(count, FRAME_DTYPE)
    frames["frame_id"] = frames["camera_counter"] = np.arange(count)
    frames["exposure_start_ns"] = START_NS + np.round(np.arange(count) * (1e9 / rate_hz)).astype(np.int64)
    frames["decided_ns"] = frames["exposure_start_ns"] + age_ns
    frames["filtered_ns"] = frames["decided_ns"] - DECIDE_NS
    for name in ("received_ns", "dequeued_ns"):
        frames[name] = frames["exposure_start_ns"] + half_ns
    raw = np.ascontiguousarray(keypoints, np.float32)
    return CameraRecord(
        camera=camera,
        frames=frames,
        raw=raw,
        filtered=raw,
        bodyparts=bodyparts,
        individuals=individuals,
        unique_bodyparts=(),
        work_ns=int(half_ns[0]),
        missing_poses=0,
        dropped=0,
        video_frame=np.full(count, -1, np.int64),
    )


def recorded_poses(session: str | Path, config: cfg.Config | None = None) -> Poses:
    """The raw poses of a session, of the camera that the config's protocol belongs to.

    Raises
    ------
    RecordError
        The folder holds no session with poses.
    """
    record = read_record(Path(session))
    return Poses(record.cameras[acting_camera(config or record.config, record.cameras)])
