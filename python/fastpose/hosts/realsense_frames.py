"""Frames of RealSense cameras: their stamps, and their pixels in a slot of the ring.

Note [RealSense stamps]: The sensor's stamp is the middle of the exposure by the camera's clock, the frame's
stamp the begin of its transfer (librealsense, rs_frame.h); both count microseconds in 32 bits and begin again
after 71.6 minutes. Without metadata from the kernel's driver there is neither: the stamp is that of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastpose.hosts.realsense_device import Profile, library

if TYPE_CHECKING:
    from fastpose.hosts.common import Pixels

__all__ = ["CameraMicroseconds", "DepthScale", "Stamps", "fill_slot", "stamps_of"]

_WRAP_US = 2**32


class CameraMicroseconds:
    """A counter of microseconds in 32 bits, as nanoseconds that go on."""

    def __init__(self) -> None:
        self._last_us: float | None = None

    def ns(self, counter_us: float) -> int:
        if self._last_us is None:
            self._last_us = counter_us % _WRAP_US
        step_us = (counter_us - self._last_us + _WRAP_US / 2) % _WRAP_US - _WRAP_US / 2
        self._last_us += step_us
        return round(self._last_us * 1000)


@dataclass(frozen=True)
class Stamps:
    """What a frame says of itself.

    Attributes
    ----------
    number : int
        The camera's own counter.
    exposure_start_us : float or None
        Start of the exposure by the camera's counter of microseconds; None: only its arrival is known.
    exposure_us : float or None
        How long it took.
    """

    number: int
    exposure_start_us: float | None
    exposure_us: float | None


def stamps_of(frame: Any, exposure_us: float | None) -> Stamps:
    """Read the stamps of an SDK's frame; `exposure_us` is the one set, for frames that do not say theirs."""
    rs = library()
    meta = rs.frame_metadata_value
    took_us = _metadata(frame, meta.actual_exposure)
    if took_us is None:
        took_us = exposure_us
    middle_us = _metadata(frame, meta.sensor_timestamp)
    start_us: float | None = None
    if middle_us is not None:
        start_us = middle_us - (took_us or 0.0) / 2
    elif frame.get_frame_timestamp_domain() == rs.timestamp_domain.hardware_clock:
        start_us = frame.get_timestamp() * 1000.0 - (took_us or 0.0)
    return Stamps(frame.get_frame_number(), start_us, took_us)


class DepthScale:
    """Makes grey of depth: the near end is 255, the far end 1, no depth is 0.

    Parameters
    ----------
    unit_mm : float
        Millimetres of one step of the camera's depth.
    range_mm : tuple of float
        Near and far end; what lies beyond is cut.
    """

    def __init__(self, unit_mm: float, range_mm: tuple[float, float]) -> None:
        near_mm, far_mm = range_mm
        depth_mm = np.arange(2**16) * unit_mm
        nearness = np.clip((far_mm - depth_mm) / (far_mm - near_mm), 0.0, 1.0)
        self._table = np.rint(1.0 + 254.0 * nearness).astype(np.uint8)
        self._table[0] = 0

    def apply(self, depth: np.ndarray[Any, np.dtype[np.uint16]], out: Pixels) -> None:
        """(H, W) uint16 steps to (H, W) uint8."""
        if out.flags.c_contiguous:
            np.take(self._table, depth, out=out, mode="clip")
        else:
            out[...] = self._table[depth]


def fill_slot(frame: Any, profile: Profile, slot: Pixels, depth: DepthScale | None) -> bool:
    """Copy the pixels of an SDK's frame; False if its size is another one."""
    pixels = np.asanyarray(frame.get_data())
    if profile.format == "yuyv":
        pixels = pixels.view(np.uint8).reshape(*pixels.shape[:2], 2)
    if pixels.shape != slot.shape:
        return False
    if depth is not None:
        depth.apply(pixels, slot)
    else:
        np.copyto(slot, pixels)
    return True


def _metadata(frame: Any, key: Any) -> float | None:
    return float(frame.get_frame_metadata(key)) if frame.supports_frame_metadata(key) else None
