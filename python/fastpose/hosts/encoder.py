"""The recorder: encodes every frame of a ring into a video file, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.encoder '<json>'``; the JSON holds the fields of
`fastpose.hosts.spawn.EncoderOptions`. Whatever happens to the file, frames are taken out of the ring
until the end, so that the loop never waits for a disk.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastpose.errors import FastposeError, RecordError
from fastpose.hosts.common import (
    WAIT_MS,
    Periodic,
    Pixels,
    RecorderRing,
    StopFlag,
    clip,
    host_main,
    report,
    slot_array,
)
from fastpose.hosts.cores import Cores
from fastpose.hosts.spawn import EncoderOptions
from fastpose.hosts.video_writer import VideoWriter
from fastpose.session.log import VIDEO_DTYPE, LogWriter, log_header

__all__ = ["Recorder", "run"]

_SYNC_S = 0.5
_FULL = 0.25  # of the ring's slots: the recorder is behind
_STOP_PATIENCE = 20  # empty waits after a stop was asked for, if the producer never says that it ended


class Recorder:
    """Takes frames out of a ring into a file and its log.

    Parameters
    ----------
    ring : RecorderRing
    options : EncoderOptions
    stop : StopFlag

    Raises
    ------
    RecordError
        The file or its log cannot be made.
    """

    def __init__(
        self,
        ring: RecorderRing,
        options: EncoderOptions,
        *,
        stop: StopFlag | None = None,
    ) -> None:
        self._ring, self._options = ring, options
        self._stop = stop or StopFlag()
        self._cores = Cores(options.cpus)
        self._slots: list[Pixels] = [slot_array(ring, slot) for slot in range(ring.slots)]
        self._writer = VideoWriter(options, ring.width, ring.height, ring.pixel_format)
        header = log_header("video", VIDEO_DTYPE, camera=options.camera)
        try:
            self._log = LogWriter(Path(options.log_path), header, sync_every_s=math.inf)  # see _syncing
        except RecordError:
            self._writer.abandon()
            raise
        paths = [options.path, options.log_path]
        self._syncing = Periodic("sync", _SYNC_S, lambda: _sync_all(paths))
        self._frames = 0
        self.failure: FastposeError | None = None

    def record(self) -> str:
        """Record until the ring is drained; returns a summary in one line.

        Raises
        ------
        RecordError
            What went wrong with the file, raised only after the ring was drained.
        """
        with self._syncing:
            while (item := self._next()) is not None:
                slot, frame_id, _flags, exposure_start_ns = item
                try:
                    self._write(slot, frame_id, exposure_start_ns)
                finally:
                    self._ring.recorder_release(slot)
                self._keep_up()
            self._finish()
        if self.failure is not None:
            raise self.failure
        return f"{self._frames} frames in '{self._options.path}'"

    def _keep_up(self) -> None:
        """Take the loop's core too before the ring is full."""
        if self._cores.confined and self._ring.counts()["recorder_queue"] > self._ring.slots * _FULL:
            self._cores.spread()

    def _next(self) -> tuple[int, int, int, int] | None:
        empty_after_stop = 0
        while True:
            item = self._ring.recorder_next(WAIT_MS)
            if item is not None:
                return item
            if self._ring.recorder_drained or self._stop.is_set or not self._ring.creator_alive():
                return None
            empty_after_stop += self._ring.stop_requested
            if empty_after_stop > _STOP_PATIENCE:
                return None

    def _write(self, slot: int, frame_id: int, exposure_start_ns: int) -> None:
        if self.failure is not None:
            return
        self._guard(lambda: self._writer.write(self._slots[slot], frame_id, exposure_start_ns))

    def _finish(self) -> None:
        if self.failure is None:
            self._guard(self._writer.close)
        self._log.close()

    def _guard(self, step: Callable[[], list[int]]) -> None:
        try:
            self._note(step())
        except RecordError as error:
            self._fail(error)
        except Exception as error:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            self._fail(RecordError(f"recording to '{self._options.path}' and its log failed: {reason}"))

    def _note(self, frame_ids: list[int]) -> None:
        records = np.zeros(len(frame_ids), VIDEO_DTYPE)
        records["frame_id"] = frame_ids
        self._log.extend(records)
        self._frames += len(frame_ids)

    def _fail(self, error: RecordError) -> None:
        self.failure = error
        self._ring.set_recorder_state("failed", clip(str(error)))
        report("failed", str(error))
        self._writer.abandon()


def _sync_all(paths: list[str]) -> None:
    """Bring the files onto the disk."""
    for path in paths:
        try:
            _sync(path)
        except OSError:
            continue  # the writer meets the same disk and says so


def _sync(path: str) -> None:
    """Wait until the disk has what the kernel holds of a file."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def run(ring: RecorderRing, options: EncoderOptions, stop: StopFlag) -> None:
    """The life of the process once it has its ring."""
    ring.set_recorder_state("starting")
    recorder = Recorder(ring, options, stop=stop)
    ring.set_recorder_state("ready")
    report("ready")
    summary = clip(recorder.record())
    ring.set_recorder_state("finished", summary)
    report("finished", summary)


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    return host_main(
        arguments, EncoderOptions, run, lambda ring, reason: ring.set_recorder_state("failed", reason)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
