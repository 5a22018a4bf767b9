"""The Basler camera: grabs into a frame ring through pypylon, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.pylon '<json>'``; the JSON holds the fields of
`fastpose.hosts.pylon_options.PylonOptions`. pypylon needs the interpreter for some microseconds a frame; here
nobody else wants it.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from typing import Any

from fastpose.errors import CameraDisconnected, CameraError
from fastpose.hosts.common import (
    WAIT_MS,
    StopFlag,
    clip,
    creator_watch,
    host_main,
    now_ns,
    report,
)
from fastpose.hosts.cores import Cores
from fastpose.hosts.pylon_camera import BaslerCamera
from fastpose.hosts.pylon_handover import Handover, Rehearsal
from fastpose.hosts.pylon_lines import LineServer
from fastpose.hosts.pylon_options import Delivered, PylonOptions
from fastpose.hosts.pylon_slots import Slots
from fastpose.hosts.pylon_tally import Tally
from fastpose.hosts.pylon_timing import FrameTiming
from fastpose.hosts.pylon_trigger import SoftwareTrigger
from fastpose.hosts.pylon_wait import FrameWait

__all__ = ["BaslerGrabber", "run"]

_RETRY_S = 1.0
_LAST_COMMANDS_S = 5.0


class BaslerGrabber:
    """Grabs one camera into one ring.

    Parameters
    ----------
    ring : ProducerRing
    options : PylonOptions
    stop : StopFlag
    lines : LineServer or None
        Commands of its output lines; None: it has none.

    Raises
    ------
    CameraError
        It cannot be opened, set, or does not deliver what the ring was made for.
    """

    def __init__(
        self,
        ring: Any,
        options: PylonOptions,
        *,
        stop: StopFlag | None = None,
        lines: LineServer | None = None,
    ) -> None:
        self._ring, self._options, self._lines = ring, options, lines
        self._stop = stop or StopFlag()
        self._slots = Slots(ring)
        self._timing = FrameTiming(options.settings.chunks)
        self.tally = Tally(ring.slot_bytes)
        self.camera = BaslerCamera(options.settings)
        self._handover = Handover(ring, self._timing, self.tally)
        self._rehearsal = Rehearsal(ring, self._timing) if options.spin_us else None
        self._wait = FrameWait(self.camera.ready, self.camera.poll, self._rehearse, options.spin_us)
        self._delivered = self._open()

    def grab(self) -> str:
        """Grab until a stop; returns a summary in one line.

        Raises
        ------
        CameraDisconnected
            It was unplugged, and is not to be waited for.
        CameraError
            It cannot go on.
        """
        try:
            while self._slots.take_all(self._stopping):
                self._grab_until_gone()
                if self._stopping() or not self._come_back():
                    break
        finally:
            self._slots.release_all()
            self._close()
        return self.tally.summary()

    def _open(self) -> Delivered:
        """Open the camera; what it delivers must fit into the ring."""
        delivered = self.camera.open(self._lines.levels if self._lines else ())
        try:
            self._require_fit(delivered)
        except CameraError:
            self.camera.close()
            raise
        if self._lines is not None:
            self._lines.connect(self.camera.write_line)
        return delivered

    def _close(self) -> None:
        if self._lines is not None:
            self._lines.disconnect()
        self.camera.close()

    def _require_fit(self, delivered: Delivered) -> None:
        ring = self._ring
        got = (*delivered.size, delivered.pixel_format)
        wanted = (ring.width, ring.height, ring.pixel_format)
        if got != wanted or delivered.buffer_bytes > ring.buffer_bytes:
            raise CameraError(
                f"camera '{self._options.camera}' delivers {got[0]} x {got[1]} {got[2]}, the session "
                f"began with {wanted[0]} x {wanted[1]} {wanted[2]}; set size and pixel_format in the config"
            )

    def _grab_until_gone(self) -> None:
        """Whatever fails while the camera is gone fails because of that."""
        try:
            self._grab_until_stopped()
        except CameraError:
            if not self.camera.look_if_gone():
                raise

    def _grab_until_stopped(self) -> None:
        with (
            self.camera.grabbing(self._slots),
            self._timing.following(self.camera.nodes, self.camera.stream, self._delivered),
            self._triggering(),
            self._rehearsing(),
        ):
            while not self._stopping() and self._grab_one():
                pass
            self.tally.transport = self.camera.statistics()
            self.tally.clock = self._timing.report()

    @contextlib.contextmanager
    def _rehearsing(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self._rehearsal is not None:
                self._rehearsal.forget()

    @contextlib.contextmanager
    def _triggering(self) -> Iterator[None]:
        settings = self._options.settings
        if settings.trigger_source != "software":
            yield
            return
        with SoftwareTrigger(self.camera, settings.rate_hz or 1.0) as trigger:
            yield
        self.tally.left_out += trigger.left_out

    def _grab_one(self) -> bool:
        """One frame, or 100 ms without one; False: the camera is gone."""
        self._slots.requeue()
        if self._slots.all_out:  # pylon has nothing to fill: wait for a consumer instead
            self._slots.requeue(WAIT_MS)
            return not self.camera.gone
        result = self._wait.take()
        if result is None:
            result = self.camera.retrieve()
        received_ns = now_ns()
        if result is None:
            return not self.camera.look_if_gone()
        self._hand_on(result, received_ns)
        self._wait.note_received(received_ns)
        return not self.camera.gone

    def _hand_on(self, result: Any, received_ns: int) -> None:
        if not self._handover.publish(result, received_ns):
            result.Release()
            return
        self._keep_first(result)
        self._slots.hand_out(result.BufferContext, result)  # afterwards, for the frame's sake: nobody else
        # takes slots here

    def _keep_first(self, result: Any) -> None:
        if self._rehearsal is not None and not self._rehearsal.kept:
            self._rehearsal.keep(self.camera.copy(result))
            self._slots.keep(result.BufferContext)

    def _rehearse(self, now_ns: int) -> None:
        if self._rehearsal is not None:
            self._rehearsal.walk(now_ns)

    def _come_back(self) -> bool:
        """Wait for the camera to be there again; False if a stop came first."""
        text = f"camera '{self._options.camera}' disconnected: check its cable and power"
        self._close()
        self._ring.set_producer_state("lost", text)
        if not self._options.reconnect:
            raise CameraDisconnected(text)
        while not self._stopping():
            self._pause()
            with contextlib.suppress(CameraError):
                self._delivered = self._open()
                self.tally.reconnected += 1
                self._ring.set_producer_state("ready")
                return True
        return False

    def _pause(self) -> None:
        deadline = time.monotonic() + _RETRY_S
        while time.monotonic() < deadline and not self._stopping():
            time.sleep(0.02)

    def _stopping(self) -> bool:
        return self._stop.is_set or self._ring.stop_requested


def run(ring: Any, options: PylonOptions, stop: StopFlag) -> None:
    """The life of the process once it has its ring."""
    Cores(options.cpus)
    ring.set_producer_state("starting")
    with contextlib.ExitStack() as stack:
        lines = LineServer(options.lines) if options.lines else None
        grabber = BaslerGrabber(ring, options, stop=stop, lines=lines)
        if lines is not None:
            stack.enter_context(lines)
        stack.enter_context(creator_watch(ring))
        ring.set_producer_state("ready")
        report("ready")
        gc.collect()
        gc.freeze()  # nothing of the set-up is looked through again between two frames
        while not ring.wait_started(WAIT_MS) and not (stop.is_set or ring.stop_requested):
            pass
        try:
            summary = clip(grabber.grab())
        except CameraError as error:
            ring.set_producer_state("failed", clip(str(error)))
            _serve_until_stopped(ring, stop, lines)
            raise
    ring.set_producer_state("finished", summary)
    report("finished", summary)


def _serve_until_stopped(ring: Any, stop: StopFlag, lines: LineServer | None) -> None:
    """The engine puts the outputs safe because of our failure: that must not be the next failure."""
    deadline = time.monotonic() + _LAST_COMMANDS_S
    while lines is not None and not (stop.is_set or ring.stop_requested) and time.monotonic() < deadline:
        time.sleep(0.01)


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    return host_main(
        arguments, PylonOptions.from_json, run, lambda ring, reason: ring.set_producer_state("failed", reason)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
