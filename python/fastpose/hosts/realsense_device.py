"""RealSense cameras as pyrealsense2 shows them: which are there, what they deliver, how they are set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from fastpose.errors import CameraDisconnected, CameraError
from fastpose.hosts.realsense_options import StreamChoice

__all__ = [
    "EMULATED_ENV",
    "FORMATS",
    "Device",
    "Profile",
    "RealSenseDevice",
    "choose_profile",
    "devices",
    "find_device",
    "library",
]

EMULATED_ENV = "FASTPOSE_REALSENSE_EMULATED"
"""Environment variable: so many emulated cameras stand beside the real ones."""
FORMATS = {"rgb8": "rgb8", "bgr8": "bgr8", "yuyv": "yuyv", "y8": "mono8", "z16": "mono8"}
"""librealsense's pixel formats and what they are in the ring; depth is scaled to grey."""
_COLOUR_EXPOSURE_US = 100.0  # unit of the exposure of colour sensors, as UVC has it; others count us
_STREAMS = ("color", "infrared", "depth")


@dataclass(frozen=True)
class Profile:
    """One way in which a sensor can stream.

    Attributes
    ----------
    stream, index : str, int
        As in `StreamChoice`.
    width, height : int
        px.
    rate_hz : int
    format : str
        librealsense's name.
    raw : object
        The SDK's own profile.
    """

    stream: str
    index: int
    width: int
    height: int
    rate_hz: int
    format: str
    raw: Any

    @property
    def pixel_format(self) -> str:
        """What it is in the ring."""
        return FORMATS[self.format]


class Device(Protocol):
    """What the host needs of a camera."""

    @property
    def serial(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def connected(self) -> bool: ...
    def profiles(self) -> list[Profile]: ...
    def start(self, profile: Profile, queue: Any) -> None: ...
    def stop(self) -> None: ...
    def set(self, profile: Profile, name: str, value: float) -> float: ...
    def set_exposure_us(self, profile: Profile, exposure_us: float) -> float: ...
    def depth_unit_mm(self, profile: Profile) -> float: ...
    def clock_us(self) -> float | None: ...


class RealSenseDevice:
    """A camera at a USB port.

    Parameters
    ----------
    device : pyrealsense2.device
    """

    def __init__(self, device: Any) -> None:
        self._rs = library()
        self._device = device
        self._running: Any = None

    @property
    def serial(self) -> str:
        return self._info("serial_number")

    @property
    def name(self) -> str:
        return self._info("name") or "RealSense"

    @property
    def note(self) -> str:
        usb = self._info("usb_type_descriptor")
        return f"on USB {usb}, which is slow: USB 3 has more rates" if usb.startswith("2") else ""

    @property
    def connected(self) -> bool:
        return bool(self._device.is_connected())

    def profiles(self) -> list[Profile]:
        """Every video stream that fits into a ring."""
        found = []
        for sensor in self._device.query_sensors():
            for raw in sensor.get_stream_profiles():
                name, pixel_format = raw.stream_type().name, raw.format().name
                if raw.is_video_stream_profile() and name in _STREAMS and pixel_format in FORMATS:
                    video = raw.as_video_stream_profile()
                    shape = (video.width(), video.height(), raw.fps())
                    found.append(Profile(name, raw.stream_index(), *shape, pixel_format, raw))
        return found

    def start(self, profile: Profile, queue: Any) -> None:
        """Stream into an SDK's queue.

        Raises
        ------
        CameraError
            Another program has it, or it is gone.
        """
        sensor = self._sensor(profile)
        try:
            sensor.open(profile.raw)
            sensor.start(queue)
        except RuntimeError as error:
            with suppress(RuntimeError):
                sensor.close()
            raise CameraError(
                f"RealSense camera {self.serial} cannot be started ({error}); does another program use it?"
            ) from error
        self._running = sensor

    def stop(self) -> None:
        """End the stream; silently, also of a camera that is gone."""
        sensor, self._running = self._running, None
        if sensor is not None:
            for end in (sensor.stop, sensor.close):
                with suppress(RuntimeError):
                    end()

    def set(self, profile: Profile, name: str, value: float) -> float:
        """Set an option of the stream's sensor; returns what it says afterwards.

        Raises
        ------
        CameraError
            There is no such option, or the value is out of its range.
        """
        sensor, option = self._sensor(profile), getattr(self._rs.option, name, None)
        supported = {supported.name for supported in sensor.get_supported_options()}
        if option is None or name not in supported:
            allowed = ", ".join(sorted(supported))
            raise CameraError(f"RealSense camera {self.serial} has no option '{name}'; allowed: {allowed}")
        limits = sensor.get_option_range(option)
        if not limits.min <= value <= limits.max:
            raise CameraError(
                f"option '{name}' of RealSense camera {self.serial} is {value:g}; "
                f"allowed: {limits.min:g} to {limits.max:g}"
            )
        try:
            sensor.set_option(option, value)
        except RuntimeError as error:
            raise CameraError(
                f"option '{name}' of RealSense camera {self.serial} cannot be set ({error})"
            ) from error
        return float(sensor.get_option(option))

    def set_exposure_us(self, profile: Profile, exposure_us: float) -> float:
        """Set a fixed exposure; returns the one that the camera took."""
        unit_us = _COLOUR_EXPOSURE_US if profile.stream == "color" else 1.0
        with suppress(CameraError):  # some have no automatic exposure
            self.set(profile, "enable_auto_exposure", 0)
        return self.set(profile, "exposure", exposure_us / unit_us) * unit_us

    def depth_unit_mm(self, profile: Profile) -> float:
        """Millimetres of one step of depth."""
        sensor = self._sensor(profile)
        if sensor.supports(self._rs.option.depth_units):
            return 1000.0 * float(sensor.get_option(self._rs.option.depth_units))
        return 1.0

    def clock_us(self) -> float | None:
        """The camera's clock now; None: it cannot be asked."""
        try:
            return 1000.0 * float(self._device.get_device_time_ms())
        except RuntimeError:
            return None

    def _sensor(self, profile: Profile) -> Any:
        wanted = (profile.raw.unique_id(), profile.stream, profile.format)
        for sensor in self._device.query_sensors():
            for raw in sensor.get_stream_profiles():
                if (raw.unique_id(), raw.stream_type().name, raw.format().name) == wanted:
                    return sensor
        raise CameraDisconnected(f"RealSense camera {self.serial} is gone")

    def _info(self, name: str) -> str:
        key = getattr(self._rs.camera_info, name)
        return str(self._device.get_info(key)) if self._device.supports(key) else ""


def library() -> Any:
    """The module pyrealsense2.

    Raises
    ------
    ImportError
        With what to install.
    """
    try:
        import pyrealsense2
    except ImportError as error:
        raise ImportError(
            f"driver 'realsense' needs pyrealsense2 ({error}); "
            "install it with: pip install 'fastpose-rig[realsense]'"
        ) from error
    return pyrealsense2


def devices() -> list[Device]:
    """Every camera that is there.

    Raises
    ------
    ImportError
        pyrealsense2 is not installed.
    """
    real: list[Device] = [RealSenseDevice(device) for device in library().context().query_devices()]
    emulated = int(os.environ.get(EMULATED_ENV, "0"))
    if emulated:
        from fastpose.hosts.realsense_emulator import EmulatedDevice

        real += [EmulatedDevice(number) for number in range(emulated)]
    return real


def find_device(serial: str, look: Callable[[], Iterable[Device]] = devices) -> Device:
    """The camera with this serial, or the only one for an empty serial.

    Raises
    ------
    CameraError
        It is not there, or there are several.
    """
    found = list(look())
    fitting = [device for device in found if serial in ("", device.serial)]
    there = ", ".join(device.serial for device in found) or "none"
    if not fitting:
        what = f"no RealSense camera with serial {serial!r}" if serial else "no RealSense camera"
        raise CameraError(f"{what} is connected; there: {there}; see: fastpose cameras")
    if len(fitting) > 1:
        raise CameraError(f"{len(fitting)} RealSense cameras are connected; serial must be one of: {there}")
    return fitting[0]


def choose_profile(device: Device, choice: StreamChoice) -> Profile:
    """The way of streaming that the config asks for.

    Raises
    ------
    CameraError
        The camera has none; the text says which it has.
    """
    of_stream = [
        profile
        for profile in device.profiles()
        if profile.stream == choice.stream
        and profile.pixel_format == choice.pixel_format
        and choice.index in (0, profile.index)
    ]
    fitting = [
        profile
        for profile in of_stream
        if choice.size in (None, (profile.width, profile.height))
        and choice.rate_hz in (None, profile.rate_hz)
    ]
    if not fitting:
        size = "{}x{}".format(*choice.size) if choice.size else "any size"
        rate = f"{choice.rate_hz:g} Hz" if choice.rate_hz else "any rate"
        asked = f"{choice.stream} as {choice.pixel_format}, {size} at {rate}"
        allowed = sorted({f"{p.width}x{p.height} at {p.rate_hz}" for p in of_stream}) or ["no such stream"]
        raise CameraError(
            f"RealSense camera {device.serial} does not stream {asked}; allowed: {', '.join(allowed)}"
        )
    return max(fitting, key=lambda p: (p.width * p.height, p.rate_hz, -p.index))
