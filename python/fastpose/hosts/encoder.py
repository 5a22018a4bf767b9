"""The recorder: encodes every frame of a ring into a video file, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.encoder '<json>'``; the JSON holds the fields of
`fastpose.hosts.spawn.EncoderOptions`. Whatever happens to the file, frames are taken out of the ring
until the end, so that the loop never waits for a disk.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastpose.disk import MIB, disk_room, kept_free
from fastpose.errors import FastposeError, RecordError
from fastpose.hosts.common import Periodic, RecorderRing, StopFlag, clip, host_main, report
from fastpose.hosts.cores import Cores
from fastpose.hosts.frame_queue import FrameQueue, QueuedFrame
from fastpose.hosts.spawn import EncoderOptions
from fastpose.hosts.video_writer import VideoWriter
from fastpose.session.log import VIDEO_DTYPE, LogWriter, log_header

__all__ = ["Recorder", "run"]

_SYNC_S = 0.5
_LOOK_S = 0.25  # how often the room on the disk and the pace are looked at
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
        self._queue = FrameQueue(ring, memory_bytes=options.queue_mib * MIB, rate_hz=options.rate_hz)
        self._writer = VideoWriter(options, ring.width, ring.height, ring.pixel_format)
        header = log_header("video", VIDEO_DTYPE, camera=options.camera)
        try:
            self._log = LogWriter(Path(options.log_path), header, sync_every_s=math.inf)  # see _syncing
        except RecordError:
            self._writer.abandon()
            raise
        paths = [options.path, options.log_path]
        self._syncing = Periodic("sync", _SYNC_S, lambda: _sync_all(paths))
        self._pace = _Pace(self._writer)
        self._frames, self._next_look_s, self._compared = 0, 0.0, 0
        self._unseen_bytes, self._kept_bytes = (
            0,
            0,
        )  # recorded at most since the last look at the disk; left free
        self.failure: FastposeError | None = None

    def record(self) -> str:
        """Record until the ring is drained; returns a summary in one line.

        Raises
        ------
        RecordError
            What went wrong with the file, raised only after the ring was drained.
        """
        with self._syncing, self._queue:
            while (frame := self._next()) is not None:
                try:
                    self._write(frame)
                finally:
                    self._queue.done(frame)
                self._look()
            self._finish()
        if self.failure is not None:
            raise self.failure
        return f"{self._frames} frames in '{self._options.path}'"

    def _next(self) -> QueuedFrame | None:
        empty_after_stop = 0
        while True:
            frame = self._queue.next()
            if frame is not None:
                return frame
            empty_after_stop += self._ring.stop_requested
            if self._over or empty_after_stop > _STOP_PATIENCE:
                return self._queue.next()  # one may have been on its way from the ring into memory

    @property
    def _over(self) -> bool:
        return self._ring.recorder_drained or self._stop.is_set or not self._ring.creator_alive()

    def _write(self, frame: QueuedFrame) -> None:
        self._unseen_bytes += frame.pixels.nbytes
        if self.failure is None:
            self._guard(lambda: self._writer.write(frame.pixels, frame.frame_id, frame.exposure_start_ns))

    def _look(self) -> None:
        """Now and then: take the loop's core too before the ring is full, leave room on the disk."""
        behind = self._ring.counts()["recorder_queue"] > self._ring.slots * _FULL
        if behind and self._cores.confined:
            self._cores.spread()
        fills_fast = self._unseen_bytes > self._kept_bytes / 8
        if self.failure is not None or (time.monotonic() < self._next_look_s and not fills_fast):
            return
        self._next_look_s, self._unseen_bytes = time.monotonic() + _LOOK_S, 0
        if behind:
            self._ring.set_recorder_state("ready", self._pace.text(self._frames))
        self._guard(self._leave_room)
        self._tell_fidelity()

    def _leave_room(self) -> list[int]:
        """Raise RecordError where the disk is so full that the session's log would be next."""
        room = disk_room(Path(self._options.path).parent)
        kept = self._kept_bytes = kept_free(room)
        if room.free < kept:
            raise RecordError(
                f"video '{self._options.path}': cannot write: No space left on device but "
                f"{room.free / MIB:.0f} MiB; {kept / MIB:.0f} MiB are kept for the session's log"
            )
        return []

    def _tell_fidelity(self) -> None:
        """Write down what was measured; see `fastpose.session.source.CameraLogs.recording`."""
        found = self._writer.fidelity
        if found["compared_frames"] == self._compared:
            return
        self._compared = found["compared_frames"]
        self._describe(found)

    def _describe(self, fidelity: dict[str, object]) -> None:
        told = {"codec": self._options.codec, "stored_as": self._writer.stored_as, **fidelity}
        told["most_frames_waiting"] = self._queue.most_waiting
        path = Path(self._options.log_path).with_suffix(".json")
        with contextlib.suppress(OSError):  # a full disk: the video's own error says so
            temporary = path.with_suffix(".json.tmp")
            temporary.write_text(json.dumps(told), encoding="utf-8")
            temporary.replace(path)

    def _finish(self) -> None:
        if self.failure is None:
            self._guard(self._writer.close)
        self._describe(self._writer.fidelity)
        try:
            self._log.close()
        except RecordError as error:
            self.failure = self.failure or error

    def _guard(self, step: Callable[[], list[int]]) -> None:
        try:
            self._note(step())
        except RecordError as error:
            self._fail(error)
        except Exception as error:
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            self._fail(RecordError(f"recording to '{self._options.path}' and its log failed: {reason}"))

    def _note(self, frame_ids: list[int]) -> None:
        if not frame_ids:
            return
        records = np.zeros(len(frame_ids), VIDEO_DTYPE)
        records["frame_id"] = frame_ids
        self._log.extend(records)
        self._frames += len(frame_ids)

    def _fail(self, error: RecordError) -> None:
        self.failure = error
        self._ring.set_recorder_state("failed", clip(str(error)))
        report("failed", str(error))
        self._writer.abandon()


class _Pace:
    """What a frame costs, over the time since the last look."""

    def __init__(self, writer: VideoWriter) -> None:
        self._writer = writer
        self._frames, self._encoding_s, self._writing_s = 0, 0.0, 0.0

    def text(self, frames: int) -> str:
        """In words: what the encoder and the disk take of a frame."""
        count = max(frames - self._frames, 1)
        encoding_ms = (self._writer.encoding_s - self._encoding_s) / count * 1e3
        writing_ms = (self._writer.writing_s - self._writing_s) / count * 1e3
        self._frames = frames
        self._encoding_s, self._writing_s = self._writer.encoding_s, self._writer.writing_s
        return f"encoding takes {encoding_ms:.1f} ms a frame, writing {writing_ms:.1f} ms"


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
