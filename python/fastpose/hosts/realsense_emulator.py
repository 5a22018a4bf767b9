"""Emulated RealSense cameras on librealsense's own software device: for tests, and rigs without a camera.

Frames go through the SDK's queues and metadata as those of a camera. Their clock counts microseconds in 32
bits from an odd moment, as the cameras' does, and runs a little fast. Every frame tells its number: the first
pixel of frame n is n modulo 256, of depth 500 + n modulo 1024 mm, and the image is a ramp from there.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.hosts.realsense_device import Profile, RealSenseDevice, library

__all__ = ["EmulatedDevice"]

_SIZES = ((640, 480), (848, 480))
_RATES_HZ = (30, 60, 90)
_EXPOSURE_US = 4000.0
_CLOCK_WRAP_US = 2**32
_BYTES = {"rgb8": 3, "bgr8": 3, "yuyv": 2, "y8": 1, "z16": 2}


class EmulatedDevice(RealSenseDevice):
    """A camera that is not there.

    Parameters
    ----------
    number : int
        Tells it from others: its serial is EMULATED-<number>.
    drift_ppm : float
        How much faster than the host's its clock runs.
    clock_offset_us : float
        What its clock shows less the host's.
    """

    def __init__(self, number: int = 0, *, drift_ppm: float = 30.0, clock_offset_us: float = 4.2e9) -> None:
        rs = library()
        self._software = rs.software_device()
        self._software.register_info(rs.camera_info.name, "Emulated RealSense")
        self._software.register_info(rs.camera_info.serial_number, f"EMULATED-{number}")
        super().__init__(self._software)
        self._drift_ppm, self._clock_offset_us = drift_ppm, clock_offset_us
        self._sensors: list[Any] = []
        self._add_sensors()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._plugged = True
        self.latches = True  # the clock can be read
        self.frame_number = 0
        self.skip: set[int] = set()  # numbers of frames that never leave the camera
        self.silent = False

    @property
    def connected(self) -> bool:
        return self._plugged

    def unplug(self) -> None:
        """The cable is pulled."""
        self._plugged = False

    def plug_in(self) -> None:
        self._plugged = True

    def start(self, profile: Profile, queue: Any) -> None:
        super().start(profile, queue)
        self._ended.clear()
        self._thread = threading.Thread(target=self._expose, args=(profile,), name="emulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        super().stop()

    def clock_us(self) -> float | None:
        return self._clock_us(time.monotonic_ns()) if self.latches else None

    def _clock_us(self, host_ns: int) -> float:
        return (host_ns / 1000.0 * (1 + self._drift_ppm * 1e-6) + self._clock_offset_us) % _CLOCK_WRAP_US

    def _add_sensors(self) -> None:
        rs = self._rs
        stereo, colour = self._software.add_sensor("Stereo Module"), self._software.add_sensor("RGB Camera")
        stereo.add_read_only_option(rs.option.depth_units, 0.001)
        self._add_exposure(stereo, 1.0, 165000.0)
        self._add_exposure(colour, 1.0, 10000.0)
        unique = 1
        for width, height in _SIZES:
            for rate_hz in _RATES_HZ:
                for sensor, stream, index, pixel_format in (
                    (stereo, rs.stream.depth, 0, "z16"),
                    (stereo, rs.stream.infrared, 1, "y8"),
                    (stereo, rs.stream.infrared, 2, "y8"),
                    (colour, rs.stream.color, 0, "rgb8"),
                    (colour, rs.stream.color, 0, "bgr8"),
                    (colour, rs.stream.color, 0, "yuyv"),
                ):
                    video = rs.video_stream()
                    video.type, video.index, video.uid = stream, index, unique
                    video.width, video.height, video.fps = width, height, rate_hz
                    video.fmt, video.bpp = getattr(rs.format, pixel_format), _BYTES[pixel_format]
                    sensor.add_video_stream(video)
                    unique += 1
        self._sensors = [stereo, colour]

    def _add_exposure(self, sensor: Any, low: float, high: float) -> None:
        limits = self._rs.option_range()
        limits.min, limits.max, limits.step, limits.default = low, high, 1.0, low
        sensor.add_option(self._rs.option.exposure, limits)

    def _expose(self, profile: Profile) -> None:
        """The camera's own thread: a frame a period, whatever became of the last one."""
        begin_ns, first = time.monotonic_ns(), self.frame_number
        while not self._ended.is_set():
            due_ns = begin_ns + (self.frame_number - first) * 1_000_000_000 // profile.rate_hz
            time.sleep(max(0, due_ns + round(_EXPOSURE_US * 1000) - time.monotonic_ns()) / 1e9)
            if self._plugged and not self.silent and self.frame_number not in self.skip:
                self._deliver(profile, self.frame_number, due_ns)
            self.frame_number += 1

    def _deliver(self, profile: Profile, number: int, due_ns: int) -> None:
        rs, meta = self._rs, self._rs.frame_metadata_value
        sensor = self._sensors[profile.stream == "color"]
        middle_us = self._clock_us(due_ns + round(_EXPOSURE_US * 500))
        sensor.set_metadata(meta.sensor_timestamp, int(middle_us))
        sensor.set_metadata(meta.actual_exposure, int(_EXPOSURE_US))
        frame = rs.software_video_frame()
        frame.pixels = pixels(profile, number)
        frame.bpp = _BYTES[profile.format]
        frame.stride = profile.width * frame.bpp
        frame.timestamp, frame.domain = middle_us / 1000.0, rs.timestamp_domain.hardware_clock
        frame.frame_number, frame.profile = number, profile.raw.as_video_stream_profile()
        sensor.on_video_frame(frame)


def pixels(profile: Profile, number: int) -> npt.NDArray[Any]:
    """The image of a frame, shaped as the SDK wants it."""
    ramp = np.arange(profile.width, dtype=np.uint32) + number
    if profile.format == "z16":
        row = (500 + ramp % 1024).astype(np.uint16)
        return np.tile(row, (profile.height, 1))
    row = np.repeat(ramp % 256, _BYTES[profile.format]).astype(np.uint8)
    return np.tile(row, (profile.height, 1)).reshape(profile.height, -1)
