"""Rings, drivers and hosted processes of the cameras."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from fastpose import _core
from fastpose import config as cfg
from fastpose.drivers import CameraSource, Hosting, driver_of
from fastpose.hosts.host import Host
from fastpose.hosts.spawn import spawn_encoder

__all__ = ["hosted_processes", "open_camera", "open_ring", "spawn_hosts"]

READY_TIMEOUT_S = 30.0
HOST_NICE = -10
# On one thread libx264 needs 5 ms for a frame of 1280x1024, too slow for 200 Hz; more cut it into slices.
ENCODER_THREADS = min(2, os.cpu_count() or 1)


def open_camera(name: str, spec: cfg.Camera) -> CameraSource:
    """Open a camera far enough to know what it delivers.

    Raises
    ------
    CameraError
        It is not there or cannot be read.
    """
    return driver_of(spec.driver).open_source(name, spec)


def hosted_processes(config: cfg.Config) -> int:
    """How many processes the config starts beside the engine: encoders and cameras of their own."""
    cameras = config.cameras.values()
    return sum(driver_of(camera.driver).hosted(camera) for camera in cameras) + (
        len(cameras) if config.record.video is not None else 0
    )


def open_ring(source: CameraSource, *, loop: bool, record: cfg.Record, watched: bool = False) -> _core.Ring:
    """Make the shared ring that the camera's frames go through.

    `watched`: somebody looks at every frame in the recorder's place, see `fastpose.assembly.eye`.

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
        recorder=watched or record.video is not None,
        record_taken=loop and not record.every_frame and not watched,
        stride_bytes=source.stride_bytes,
        producer_slots=source.slots_held,
        buffer_bytes=source.buffer_bytes,
    )
    return source.ring


def spawn_hosts(
    source: CameraSource,
    record: cfg.Record,
    session_dir: Path,
    *,
    realtime: bool,
    cpus: Sequence[int] = (),
    spin_us: int = 0,
) -> None:
    """Start the processes around the camera's ring and wait until they are ready.

    With a real-time loop they go before everything else that is not: no busy protocol may cost them a frame.
    They keep to the cores `cpus`, empty: to none; an encoder that falls behind takes all. The camera's
    process may look for a frame without sleeping for `spin_us`.

    Raises
    ------
    CameraError, RecordError
        One of them did not get ready.
    """
    assert source.ring is not None
    if record.video is not None:
        nice = HOST_NICE if realtime else 5
        source.encoder = _encoder(source, record, session_dir, nice=nice, cpus=cpus)
    source.host = driver_of(source.spec.driver).spawn(
        source,
        Hosting(
            session_dir / "log" / f"camera_{source.name}.txt",
            nice=HOST_NICE if realtime else 0,
            cpus=tuple(cpus),
            spin_us=spin_us,
        ),
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
