"""Video files: decoded by a process of their own, or played from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastpose.config import Camera, VideoCamera
from fastpose.drivers.source import CameraLook, CameraSource, DriverAbsent, FoundCamera, Hosting
from fastpose.hosts.host import Host
from fastpose.hosts.spawn import spawn_video_host

if TYPE_CHECKING:
    from fastpose.hosts.probe import VideoInfo

__all__ = ["found", "hosted", "look", "open_source", "spawn"]


def look(spec: Camera) -> CameraLook:
    """Read the file's header.

    Raises
    ------
    CameraError
        The file is not there or cannot be read.
    """
    assert isinstance(spec, VideoCamera)
    info = _info(spec)
    grey = (spec.pixel_format or info.pixel_format) == "mono8"
    length_s = None if spec.loop else info.duration_s
    if length_s is not None and spec.rate_hz:
        length_s *= info.rate_hz / spec.rate_hz
    size, rate_hz = (info.width, info.height), spec.rate_hz or info.rate_hz
    return CameraLook(size, rate_hz, length_s, 1 if grey else 3, f"'{spec.path}'", key="path")


def open_source(name: str, spec: Camera) -> CameraSource:
    """Read the file's header, or the whole file for one that is played from memory.

    Raises
    ------
    CameraError
        The file is not there or cannot be read.
    """
    assert isinstance(spec, VideoCamera)
    info = _info(spec)
    source = CameraSource(
        name,
        spec,
        (info.width, info.height),
        spec.pixel_format or ("mono8" if info.is_grey else "rgb8"),
        spec.rate_hz or info.rate_hz,
        None if spec.loop else info.frames,
    )
    if spec.in_memory:
        _hold_in_memory(source, spec)
    return source


def spawn(source: CameraSource, hosting: Hosting) -> Host | None:
    """Start the process that decodes the file."""
    spec = source.spec
    assert isinstance(spec, VideoCamera) and source.ring is not None
    if spec.in_memory:
        return None
    return spawn_video_host(
        source.ring.name,
        spec.path,
        stderr_path=hosting.stderr_path,
        pace=spec.pace,
        rate_hz=spec.rate_hz,
        loop=spec.loop,
        nice=hosting.nice,
        cpus=hosting.cpus,
    )


def hosted(_spec: Camera) -> bool:
    """Also in memory: a thread that copies frames is work beside the loop."""
    return True


def found() -> list[FoundCamera]:
    """Files are no devices."""
    return []


def _info(spec: VideoCamera) -> VideoInfo:
    try:
        from fastpose.hosts.probe import probe
    except ImportError as error:
        raise DriverAbsent(f"'video' needs PyAV ({error}); install it with: pip install av") from error
    return probe(spec.path)


def _hold_in_memory(source: CameraSource, spec: VideoCamera) -> None:
    from fastpose import _core
    from fastpose.drivers.memory_frames import frames_in_memory

    frames = frames_in_memory(spec.path, size=source.frame_size, pixel_format=source.pixel_format)
    source.driver = _core.make_memory_camera(frames, rate_hz=source.rate_hz, loop=spec.loop)
    source.total_frames = None if spec.loop else len(frames)
