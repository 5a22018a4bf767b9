"""What every hosted process shares: the ring as it sees it, its flags, how it starts, reports and stops."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Literal, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from fastpose.errors import FastposeError

__all__ = [
    "FRAME_CLOCK_UNFITTED",
    "FRAME_COUNTER_RESET",
    "FRAME_LAST",
    "FRAME_LATE",
    "FRAME_TORN",
    "FRAME_UNREADABLE",
    "HostState",
    "Periodic",
    "ProducerRing",
    "RecorderRing",
    "RingBase",
    "StopFlag",
    "attach",
    "calm_down",
    "clip",
    "creator_watch",
    "host_main",
    "now_ns",
    "report",
    "slot_array",
]

# FrameFlag of csrc/frame/frame.h
FRAME_UNREADABLE = 1
FRAME_TORN = 2
FRAME_LATE = 4
FRAME_LAST = 8
FRAME_CLOCK_UNFITTED = 16
FRAME_COUNTER_RESET = 64

HostState = Literal["starting", "ready", "finished", "failed", "lost"]
TEXT_BYTES = 500  # room for a state's text in the ring
_WATCH_S = 0.25
WAIT_MS = 100.0  # longest wait in one call, so that a stop is seen

Pixels = npt.NDArray[Any]  # uint8; uint16 for mono10 and mono12


class _HostOptions(Protocol):
    @property
    def ring(self) -> str: ...
    @property
    def nice(self) -> int: ...


_Options = TypeVar("_Options", bound=_HostOptions)


class RingBase(Protocol):
    """What producer and recorder have in common; the real one is ``fastpose._core.Ring``."""

    @property
    def name(self) -> str: ...
    @property
    def slots(self) -> int: ...
    @property
    def slot_bytes(self) -> int: ...
    @property
    def stride_bytes(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def pixel_format(self) -> str: ...
    @property
    def stop_requested(self) -> bool: ...
    def memory(self, slot: int) -> memoryview: ...
    def creator_alive(self) -> bool: ...
    def request_stop(self) -> None: ...


class ProducerRing(RingBase, Protocol):
    """The ring as a camera sees it."""

    def acquire(self, timeout_ms: float) -> int: ...
    def publish(
        self,
        slot: int,
        *,
        camera_counter: int,
        camera_timestamp_ns: int,
        exposure_start_ns: int,
        received_ns: int,
        flags: int = 0,
        exposure_error_ns: int = 0,
    ) -> int: ...
    def note_failed(
        self,
        *,
        camera_counter: int,
        camera_timestamp_ns: int = 0,
        exposure_start_ns: int = 0,
        received_ns: int = 0,
        flags: int = 0,
        exposure_error_ns: int = 0,
    ) -> None: ...
    def release(self, slot: int) -> None: ...
    def set_producer_state(self, state: HostState, text: str = "") -> None: ...
    def wait_started(self, timeout_ms: float) -> bool: ...
    def note_armed(self) -> None: ...


class RecorderRing(RingBase, Protocol):
    """The ring as the encoder sees it."""

    @property
    def recorder_drained(self) -> bool: ...
    def counts(self) -> Mapping[str, int]: ...
    def recorder_next(self, timeout_ms: float) -> tuple[int, int, int, int] | None: ...
    def recorder_release(self, slot: int) -> None: ...
    def set_recorder_progress(self, *, recorded: int, waiting: int) -> None: ...
    def set_recorder_state(self, state: HostState, text: str = "") -> None: ...


class StopFlag:
    """Set by SIGTERM; an interrupt typed at the terminal is left to the process that started us."""

    def __init__(self) -> None:
        self.is_set = False

    def listen(self) -> StopFlag:
        signal.signal(signal.SIGTERM, self._set)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _leave_group()
        return self

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        self.is_set = True


def _leave_group() -> None:
    """What a terminal sends to its group (Ctrl-C, Ctrl-Z, that it closes) is for the engine alone."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class Periodic:
    """``with Periodic(...)``: does something again and again, on a thread of its own, and once at the end."""

    def __init__(self, name: str, period_s: float, action: Callable[[], None]) -> None:
        self._period_s, self._action = period_s, action
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            self._action()
        self._action()


def creator_watch(ring: RingBase) -> Periodic:
    """Asks the ring to stop when the process that made it is gone: a producer may be waiting for its loop."""

    def look() -> None:
        if not ring.creator_alive():
            ring.request_stop()

    return Periodic("watch", _WATCH_S, look)


def attach(name: str) -> object:
    """The ring of that name. Raises the engine's typed error if there is none."""
    return importlib.import_module("fastpose._core").Ring.attach(name)


def now_ns() -> int:
    """The host clock of the engine, ns."""
    return cast("Callable[[], int]", importlib.import_module("fastpose._core").now_ns)()


def slot_array(ring: RingBase, slot: int) -> Pixels:
    """The bytes of a slot, shaped as its pixel format says.

    Returns
    -------
    ndarray of uint8, of uint16 for mono10 and mono12
        (H, W) for grey and Bayer, (H, W, 3) for rgb8 and bgr8, (H, W, 2) for yuyv, (H * 3/2, W) for nv12.
        A view, also of rows that are padded.
    """
    return shaped(ring, np.frombuffer(ring.memory(slot), np.uint8, count=ring.slot_bytes))


def shaped(ring: RingBase, pixels: npt.NDArray[np.uint8]) -> Pixels:
    """The bytes of a frame of this ring in the shape that `slot_array` gives, without copying."""
    kind = np.dtype("<u2" if ring.pixel_format in ("mono10", "mono12") else np.uint8)
    channels = {"rgb8": 3, "bgr8": 3, "yuyv": 2}.get(ring.pixel_format, 1)
    rows = pixels.reshape(-1, ring.stride_bytes)[:, : ring.width * channels * kind.itemsize].view(kind)
    return rows.reshape(len(rows), ring.width, channels) if channels > 1 else rows


def calm_down(nice: int) -> None:
    """Give up what the parent's real-time loop passed on, so that the loop goes first, and take our niceness.

    A niceness below 0 is taken where the system grants it. It counts against the engine's threads also where
    the kernel has autogroups, for we are of its session: the network's go first, a busy protocol does not.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        with contextlib.suppress(OSError):
            os.nice(nice)
        with contextlib.suppress(OSError):
            Path("/proc/self/timerslack_ns").write_text("1", encoding="ascii")


def clip(text: str) -> str:
    """The text in one line that fits into the ring."""
    line = " ".join(text.split())
    return line.encode()[:TEXT_BYTES].decode(errors="ignore")


def report(state: HostState, text: str = "") -> None:
    """One line for the handle in the process that started us; nobody may be listening."""
    try:
        print(json.dumps({"state": state, "text": clip(text)}), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed once more at exit


def host_main(
    arguments: list[str],
    make_options: Callable[..., _Options],
    run: Callable[[Any, _Options, StopFlag], None],
    say_failed: Callable[[Any, str], None],
) -> int:
    """Entry of a hosted process; returns its exit code: 2 after an error of the user's making.

    Parameters
    ----------
    arguments : list of str
        The JSON of the options.
    make_options : callable
        Makes the options from its fields.
    run : callable
        The life of the process, given the ring, the options and the flag that ends it.
    say_failed : callable
        Leaves the reason in the ring, before the error ends the process.
    """
    stop = StopFlag().listen()
    ring: object = None
    try:
        options = make_options(**json.loads(arguments[0]))
        calm_down(options.nice)
        ring = attach(options.ring)
        run(ring, options, stop)
    except Exception as error:
        if ring is not None:
            say_failed(ring, clip(str(error)))
        report("failed", str(error))
        if isinstance(error, FastposeError):
            return 2
        raise
    return 0
