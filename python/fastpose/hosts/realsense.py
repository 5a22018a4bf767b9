"""The RealSense camera: one of its streams into a frame ring, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.realsense '<json>'``; the JSON holds the fields of
`fastpose.hosts.realsense_options.RealSenseOptions`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.common import (
    FRAME_CLOCK_UNFITTED,
    FRAME_COUNTER_RESET,
    WAIT_MS,
    ProducerRing,
    StopFlag,
    host_main,
    slot_array,
)
from fastpose.hosts.cores import Cores
from fastpose.hosts.live import LivePlayer, LostError, play_live
from fastpose.hosts.realsense_clock import RealSenseClock
from fastpose.hosts.realsense_device import Device, choose_profile, find_device, library
from fastpose.hosts.realsense_frames import DepthScale, Stamps, fill_slot, stamps_of
from fastpose.hosts.realsense_options import RealSenseOptions

__all__ = ["RealSensePlayer", "run"]

QUEUE_FRAMES = 8  # of the SDK, beside the ring; the camera's counter shows those that did not fit
SILENCE_S = 5.0
FindDevice = Callable[[str], Device]


class RealSensePlayer(LivePlayer):
    """Plays one stream of a camera into one ring.

    Parameters
    ----------
    ring : ProducerRing
    options : RealSenseOptions
    find : callable
        The camera with a serial.
    **life
        clock, sleep and stop of `LivePlayer`.

    Raises
    ------
    CameraError
        The camera is not there, or has no such stream, option or exposure.
    """

    def __init__(
        self, ring: ProducerRing, options: RealSenseOptions, *, find: FindDevice = find_device, **life: Any
    ) -> None:
        super().__init__(ring, options.camera, reconnect=options.reconnect, **life)
        self._options, self._find = options, find
        self._slots = [slot_array(ring, slot) for slot in range(ring.slots)]
        self._published = self._missing = self._misfits = 0
        self._next_counter = self._counter_base = 0
        self._first_of_connection = True
        self._connect()

    def _connect(self) -> None:
        options = self._options
        device = self._find(options.choice.serial)
        profile = choose_profile(device, options.choice)
        self._expect_size(profile.width, profile.height)
        for name, value in options.settings.items():
            self.say(f"{name}: {device.set(profile, name, value):g}")
        self._exposure_us = options.exposure_us
        if options.exposure_us is not None:
            self._exposure_us = device.set_exposure_us(profile, options.exposure_us)
            self.say(f"exposure_us: {self._exposure_us:g}")
        self._depth = self._depth_scale(device, profile)
        self._queue = library().frame_queue(QUEUE_FRAMES)
        device.start(profile, self._queue)
        self._device, self._profile = device, profile
        self._clock_of_camera = RealSenseClock(device.clock_us, clock=self._clock)
        self._heard_ns = self._clock()
        self._first_of_connection = True

    def _expect_size(self, width: int, height: int) -> None:
        if (width, height) != (self._ring.width, self._ring.height):
            raise CameraError(
                f"camera '{self._camera}' sends {width}x{height} px; "
                f"expected: {self._ring.width}x{self._ring.height}"
            )

    def _depth_scale(self, device: Device, profile: Any) -> DepthScale | None:
        if profile.format != "z16":
            return None
        assert self._options.depth_range_mm is not None
        return DepthScale(device.depth_unit_mm(profile), self._options.depth_range_mm)

    def _disconnect(self) -> None:
        self._device.stop()

    def _step(self, *, publish: bool) -> None:
        came, frame = self._queue.try_wait_for_frame(int(WAIT_MS))
        received_ns = self._clock()
        if came:
            self._heard_ns = received_ns
            self._take(frame, received_ns, publish=publish)
        elif not self._device.connected:
            raise LostError("it is no longer connected")
        elif received_ns - self._heard_ns > SILENCE_S * 1e9:
            raise LostError(f"it sent nothing for {SILENCE_S:g} s")

    def _take(self, frame: Any, received_ns: int, *, publish: bool) -> None:
        stamps = stamps_of(frame, self._exposure_us)
        camera_ns, exposure_ns = self._clock_of_camera.place(stamps.exposure_start_us, received_ns)
        if not publish:
            self._first_of_connection = True  # counted from the first that is published
            return
        counter, again = self._count(stamps)
        meta = {
            "camera_counter": counter,
            "camera_timestamp_ns": camera_ns,
            "exposure_start_ns": exposure_ns,
            "received_ns": received_ns,
            "exposure_error_ns": self._clock_of_camera.error_ns,
            "flags": self._flags(stamps) | (FRAME_COUNTER_RESET if again else 0),
        }
        slot = self._acquire()
        if slot is None:
            return
        if fill_slot(frame, self._profile, self._slots[slot], self._depth):
            self._ring.publish(slot, **meta)
            self._published += 1
        else:
            self._ring.release(slot)
            self._ring.note_failed(**meta)
            self._misfits += 1

    def _count(self, stamps: Stamps) -> tuple[int, bool]:
        """Our counter, which only grows, and whether the camera's began again."""
        again = self._begins_again
        if self._first_of_connection or stamps.number + self._counter_base < self._next_counter:
            again |= not self._first_of_connection
            self._counter_base = self._next_counter - stamps.number
        self._first_of_connection = self._begins_again = False
        counter = stamps.number + self._counter_base
        self._missing += counter - self._next_counter
        self._next_counter = counter + 1
        return counter, again

    def _flags(self, stamps: Stamps) -> int:
        known = self._clock_of_camera.is_read and stamps.exposure_start_us is not None
        return 0 if known else FRAME_CLOCK_UNFITTED

    def _summary(self) -> list[str]:
        profile = self._profile
        parts = [f"{self._published} frames of {profile.stream} from {self._device.serial}"]
        if self._missing:
            parts.append(f"{self._missing} that the camera counted never came")
        if self._misfits:
            parts.append(f"{self._misfits} of another size")
        return [*parts, self._clock_of_camera.describe()]


def run(ring: ProducerRing, options: RealSenseOptions, stop: StopFlag) -> None:
    """The life of the process once it has its ring; every error but ours ends as a state of the ring."""
    Cores(options.cpus)
    ring.set_producer_state("starting")
    play_live(ring, RealSensePlayer(ring, options, stop=stop), stop)


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    return host_main(
        arguments, RealSenseOptions, run, lambda ring, reason: ring.set_producer_state("failed", reason)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
