"""Network cameras and webcams through FFmpeg, in a process of their own."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from fastpose.config import Camera, PixelFormat, StreamCamera
from fastpose.drivers.onvif import discover
from fastpose.drivers.source import CameraLook, CameraSource, DriverAbsent, FoundCamera, Hosting
from fastpose.errors import CameraError
from fastpose.hosts.host import Host
from fastpose.hosts.stream_options import StreamOptions, StreamSource

if TYPE_CHECKING:
    from fastpose.hosts.stream_open import StreamInfo

__all__ = ["found", "hosted", "look", "open_source", "spawn"]

_FORMATS = ("mono8", "rgb8", "bgr8")
_INPUTS = {"linux": "v4l2", "win32": "dshow", "darwin": "avfoundation"}


def look(spec: Camera) -> CameraLook:
    """Open the stream for a moment.

    Raises
    ------
    CameraError
        It cannot be reached, or sends something else than the config says.
    """
    assert isinstance(spec, StreamCamera)
    info = _info(spec)
    says = f"'{_address(spec)}', {info.codec} over {info.container}, {_age(spec)}"
    channels = 1 if _pixel_format(spec, info) == "mono8" else 3
    return CameraLook((info.width, info.height), _rate_hz(spec, info), None, channels, says, key=_key(spec))


def open_source(name: str, spec: Camera) -> CameraSource:
    """Open the stream for a moment; see `look`."""
    assert isinstance(spec, StreamCamera)
    info = _info(spec)
    return CameraSource(
        name,
        spec,
        (info.width, info.height),
        _pixel_format(spec, info),
        _rate_hz(spec, info),
        None,
        details={"codec": info.codec, "container": info.container, "age": _age(spec)},
    )


def spawn(source: CameraSource, hosting: Hosting) -> Host:
    """Start the process that receives and decodes the stream."""
    spec = source.spec
    assert isinstance(spec, StreamCamera) and source.ring is not None
    options = StreamOptions(
        source.ring.name,
        source.name,
        _stream_source(spec),
        reconnect=spec.reconnect,
        clock=spec.clock,
        latency_ms=spec.latency_ms,
        nice=hosting.nice,
        cpus=hosting.cpus,
    )
    return Host("fastpose.hosts.stream", asdict(options), stderr_path=hosting.stderr_path, error=CameraError)


def hosted(_spec: Camera) -> bool:
    return True


def found() -> list[FoundCamera]:
    """Network cameras that answer to ONVIF, and webcams that FFmpeg finds (on Linux: see driver v4l2).

    Raises
    ------
    DriverAbsent
        PyAV is missing.
    """
    try:
        import av.device
    except ImportError as error:
        raise _needs_pyav(error) from error
    network = [
        FoundCamera(
            "stream", camera.host, camera.name, _FORMATS, note="url: its manual has the path of its stream"
        )
        for camera in discover()
    ]
    if sys.platform not in ("win32", "darwin"):
        return network
    return network + [
        FoundCamera("stream", device.name, device.description, _FORMATS)
        for device in av.device.enumerate_input_devices(_INPUTS[sys.platform])
        if "video" in device.media_types
    ]


def _info(spec: StreamCamera) -> StreamInfo:
    try:
        from fastpose.hosts.stream_open import probe_stream
    except ImportError as error:
        raise _needs_pyav(error) from error
    info = probe_stream(_stream_source(spec))
    if spec.size is not None and spec.size != (info.width, info.height):
        raise CameraError(
            f"'{_address(spec)}' sends {info.width}x{info.height} px, the config says size "
            f"{list(spec.size)}; set it in the camera, or leave size out"
        )
    return info


def _stream_source(spec: StreamCamera) -> StreamSource:
    return StreamSource(
        address=_address(spec),
        input="" if spec.url else spec.input or _INPUTS.get(sys.platform, "v4l2"),
        user=spec.user or "",
        password_env=spec.password_env or "",
        transport=spec.transport,
        timeout_s=spec.timeout_s,
        options=(_device_options(spec) if spec.device else {}) | spec.options,
    )


def _device_options(spec: StreamCamera) -> dict[str, str]:
    size = {"video_size": "{}x{}".format(*spec.size)} if spec.size else {}
    rate = {"framerate": f"{spec.rate_hz:g}"} if spec.rate_hz else {}
    return size | rate


def _pixel_format(spec: StreamCamera, info: StreamInfo) -> PixelFormat:
    return spec.pixel_format or ("mono8" if info.is_grey else "rgb8")


def _rate_hz(spec: StreamCamera, info: StreamInfo) -> float:
    return spec.rate_hz or info.rate_hz


def _address(spec: StreamCamera) -> str:
    return spec.url or spec.device or ""


def _key(spec: StreamCamera) -> str:
    return "url" if spec.url else "device"


def _age(spec: StreamCamera) -> str:
    """What will be known of the frames' age."""
    if spec.clock == "sender":
        return "age of frames by the camera's own clock"
    if spec.latency_ms:
        return f"frames at least {spec.latency_ms:g} ms old on arrival (latency_ms)"
    return "age of frames unknown by a constant (latency_ms is 0)"


def _needs_pyav(error: ImportError) -> DriverAbsent:
    return DriverAbsent(f"'stream' needs PyAV ({error}); install it with: pip install av")
