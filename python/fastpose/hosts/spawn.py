"""Start the hosted processes; imports none of what they import."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from fastpose.errors import CameraError, RecordError
from fastpose.hosts.host import Host

__all__ = ["EncoderOptions", "VideoOptions", "spawn_encoder", "spawn_video_host"]

Pace = Literal["realtime", "max"]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class VideoOptions:
    """How a file is played.

    Attributes
    ----------
    ring : str
        Name of the ring in shared memory.
    path : str
        The file.
    pace : {"realtime", "max"}
        At the file's time stamps, or as fast as the ring takes frames.
    rate_hz : float or None
        Plays at this rate instead of the file's time stamps.
    loop : bool
        Starts again at the end.
    threads : int
        Threads of the decoder; 0: as many as it likes.
    nice : int
        Added to the process's niceness.
    cpus : tuple of int
        Cores that it keeps to; empty: any.
    """

    ring: str
    path: str
    pace: Pace = "realtime"
    rate_hz: float | None = None
    loop: bool = False
    threads: int = 1
    nice: int = 0
    cpus: tuple[int, ...] = ()


@dataclass(frozen=True)
class EncoderOptions:
    """How a camera is recorded.

    Attributes
    ----------
    ring : str
        Name of the ring in shared memory.
    path : str
        The Matroska file to make.
    log_path : str
        The session log of encoded frames.
    camera : str
        Name of the camera, written into both.
    codec : str
        Name of an FFmpeg encoder.
    preset, crf, qp
        The encoder's own options; None: its default.
    options : dict of str to str
        More options of the encoder.
    rate_hz : float or None
        The camera's nominal rate: a keyframe each second, and what players show.
    queue_mib : int
        Memory for frames that wait beyond the ring, MiB; 0: none.
    threads : int
        Threads of the encoder; 0: as many as it likes.
    nice : int
        Added to the process's niceness, so that the loop goes first.
    cpus : tuple of int
        Cores that it keeps to until it falls behind; empty: any.
    """

    ring: str
    path: str
    log_path: str
    camera: str
    codec: str = "libx264"
    preset: str | None = None
    crf: int | None = None
    qp: int | None = None
    options: dict[str, str] = field(default_factory=dict)
    rate_hz: float | None = None
    queue_mib: int = 0
    threads: int = 1
    nice: int = 5
    cpus: tuple[int, ...] = ()


def spawn_video_host(
    ring: str,
    path: PathLike,
    *,
    stderr_path: PathLike,
    pace: Pace = "realtime",
    rate_hz: float | None = None,
    loop: bool = False,
    threads: int = 1,
    nice: int = 0,
    cpus: Sequence[int] = (),
) -> Host:
    """Start the process that plays a file into a ring; see `VideoOptions`."""
    options = VideoOptions(ring, _absolute(path), pace, rate_hz, loop, threads, nice, tuple(cpus))
    return Host("fastpose.hosts.video", asdict(options), stderr_path=stderr_path, error=CameraError)


def spawn_encoder(
    ring: str,
    path: PathLike,
    *,
    log_path: PathLike,
    camera: str,
    stderr_path: PathLike,
    codec: str = "libx264",
    preset: str | None = None,
    crf: int | None = None,
    qp: int | None = None,
    options: Mapping[str, str] | None = None,
    rate_hz: float | None = None,
    queue_mib: int = 0,
    threads: int = 1,
    nice: int = 5,
    cpus: Sequence[int] = (),
) -> Host:
    """Start the process that records a ring into a file; see `EncoderOptions`."""
    all_options = EncoderOptions(
        ring,
        _absolute(path),
        _absolute(log_path),
        camera,
        codec,
        preset,
        crf,
        qp,
        dict(options or {}),
        rate_hz,
        queue_mib,
        threads,
        nice,
        tuple(cpus),
    )
    return Host("fastpose.hosts.encoder", asdict(all_options), stderr_path=stderr_path, error=RecordError)


def _absolute(path: PathLike) -> str:
    return str(Path(path).absolute())
