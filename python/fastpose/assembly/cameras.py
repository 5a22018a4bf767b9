"""Rings, drivers and hosted processes of the cameras."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.memory_frames import frames_in_memory
from fastpose.assembly.progress import Progress
from fastpose.hosts.host import Host
from fastpose.hosts.probe import VideoInfo, probe
from fastpose.hosts.spawn import spawn_encoder, spawn_video_host

__all__ = ["CameraSource", "hosted_processes", "open_camera", "open_ring", "spawn_hosts"]

READY_TIMEOUT_S = 30.0
HOST_NICE = -10
# On one thread libx264 needs 5 ms for a frame of 1280x1024, too slow for 200 Hz; more cut it into slices.
ENCODER_THREADS = min(2, os.cpu_count() or 1)


@dataclass
class CameraSource:
    """What a camera delivers, known before anything starts.

    Attributes
    ----------
    frame_size : tuple of int
        Width, height; px.
    total_frames : int or None
        Frames until it ends by itself; None: unknown.
    driver : Camera or None
        C++ driver; None for one that a process of its own hosts.
    """

    name: str
    spec: cfg.Camera
    frame_size: tuple[int, int]
    pixel_format: cfg.PixelFormat
    rate_hz: float
    total_frames: int | None
    driver: _core.Camera | None = None
    ring: _core.Ring | None = None
    host: Host | None = None
    encoder: Host | None = None
    progress: Progress = field(default_factory=Progress)
    """Of the encoder."""


def open_camera(name: str, spec: cfg.Camera) -> CameraSource:
    """Open a camera far enough to know what it delivers.

    Raises
    ------
    CameraError
        It is not there or cannot be read.
    """
    if isinstance(spec, cfg.SimCamera):
        driver = _core.make_sim_camera(_sim_spec(spec))
        return CameraSource(name, spec, spec.size, spec.pixel_format, spec.rate_hz, spec.frames_total, driver)
    info = probe(spec.path)
    source = CameraSource(
        name,
        spec,
        (info.width, info.height),
        spec.pixel_format or ("mono8" if info.is_grey else "rgb8"),
        spec.rate_hz or info.rate_hz,
        _frames_of(info, spec),
    )
    if spec.in_memory:
        _hold_in_memory(source, spec)
    return source


def _hold_in_memory(source: CameraSource, spec: cfg.VideoCamera) -> None:
    frames = frames_in_memory(spec.path, size=source.frame_size, pixel_format=source.pixel_format)
    source.driver = _core.make_memory_camera(frames, rate_hz=source.rate_hz, loop=spec.loop)
    source.total_frames = None if spec.loop else len(frames)


def _frames_of(info: VideoInfo, spec: cfg.VideoCamera) -> int | None:
    return None if spec.loop else info.frames


def _sim_spec(spec: cfg.SimCamera) -> _core.SimSpec:
    values = spec.model_dump(exclude={"driver", "frames", "ring_slots", "lighting", "clock", "faults"})
    return _core.SimSpec(
        **values,
        lighting=_core.SimLighting(**spec.lighting.model_dump()),
        clock=_core.SimClock(**spec.clock.model_dump()),
        faults=_core.SimFaults(**spec.faults.model_dump()),
        every_frame=spec.frames == "every",
    )


def hosted_processes(config: cfg.Config) -> int:
    """How many processes the config starts beside the engine: encoders and cameras of their own."""
    cameras = config.cameras.values()
    return sum(isinstance(camera, cfg.VideoCamera) for camera in cameras) + (
        len(cameras) if config.record.video is not None else 0
    )


def open_ring(source: CameraSource, *, loop: bool, record: cfg.Record) -> _core.Ring:
    """Make the shared ring that the camera's frames go through.

    Raises
    ------
    DeviceError
        There is not enough shared memory.
    """
    width, height = source.frame_size
    source.ring = _core.Ring.create(
        f"/fastpose-{os.getpid()}-{time.monotonic_ns()}-{source.name}",
        slots=source.spec.ring_slots,
        width=width,
        height=height,
        pixel_format=source.pixel_format,
        frames=source.spec.frames,
        loop=loop,
        recorder=record.video is not None,
        record_taken=loop and not record.every_frame,
    )
    return source.ring


def spawn_hosts(
    source: CameraSource, record: cfg.Record, session_dir: Path, *, realtime: bool, cpus: Sequence[int] = ()
) -> None:
    """Start the processes around the camera's ring and wait until they are ready.

    With a real-time loop they go before everything else that is not: no busy protocol may cost them a frame.
    They keep to the cores `cpus`, empty: to none; an encoder that falls behind takes all.

    Raises
    ------
    CameraError, RecordError
        One of them did not get ready.
    """
    assert source.ring is not None
    if record.video is not None:
        nice = HOST_NICE if realtime else 5
        source.encoder = _encoder(source, record, session_dir, nice=nice, cpus=cpus)
    if isinstance(source.spec, cfg.VideoCamera) and source.driver is None:
        spec = source.spec
        source.host = spawn_video_host(
            source.ring.name,
            spec.path,
            stderr_path=session_dir / "log" / f"camera_{source.name}.txt",
            pace=spec.pace,
            rate_hz=spec.rate_hz,
            loop=spec.loop,
            nice=HOST_NICE if realtime else 0,
            cpus=cpus,
        )
    for host in (source.host, source.encoder):
        if host is not None:
            host.wait_ready(READY_TIMEOUT_S)


def _encoder(
    source: CameraSource, record: cfg.Record, session_dir: Path, *, nice: int, cpus: Sequence[int]
) -> Host:
    video = record.video
    assert source.ring is not None and video is not None
    return spawn_encoder(
        source.ring.name,
        session_dir / f"video_{source.name}.mkv",
        log_path=session_dir / "log" / f"video_{source.name}.fplog",
        camera=source.name,
        stderr_path=session_dir / "log" / f"encoder_{source.name}.txt",
        codec=video.codec,
        preset=video.preset,
        crf=video.crf,
        qp=video.qp,
        options=video.options,
        rate_hz=source.rate_hz,
        queue_mib=0 if source.spec.frames == "every" else record.queue_mib,
        threads=ENCODER_THREADS,
        nice=nice,
        cpus=cpus,
    )
