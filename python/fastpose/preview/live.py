"""One camera, running as in a session, with somebody who looks at its frames instead of a loop."""

from __future__ import annotations

import tempfile
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.cameras import open_camera, open_ring
from fastpose.config.real_camera import RealCamera
from fastpose.drivers import CameraSource, Hosting, driver_of
from fastpose.errors import CameraError, FastposeError
from fastpose.hosts.common import slot_array

__all__ = ["LiveCamera", "Seen"]

READY_TIMEOUT_S = 60.0
_NAME = "camera"
_HOST_TIMEOUT_S = 5.0
_POLL_MS = 50.0
_REMEMBERED = 4096  # exposures


@dataclass(frozen=True)
class Seen:
    """A frame that came.

    Attributes
    ----------
    flags : int
        As in frames.parquet.
    exposure_start_ns, taken_ns : int
        Host clock; when it was exposed, and when we got it.
    pixels : ndarray of uint8 or None
        A copy, shaped as `slot_array` does; None where nobody asked for them.
    """

    flags: int
    exposure_start_ns: int
    taken_ns: int
    pixels: npt.NDArray[np.uint8] | None = None


class LiveCamera:
    """``with LiveCamera(spec) as camera: camera.frame(1.0)``.

    Parameters
    ----------
    spec : Camera
        As in a config.

    Raises
    ------
    FastposeError
        On entering: the camera is not there, is set in a way it cannot be, ...
    """

    def __init__(self, spec: cfg.Camera) -> None:
        self._spec = spec
        self._folder = tempfile.TemporaryDirectory(prefix="fastpose-preview-")
        self._source: CameraSource | None = None
        self._engine: _core.Engine | None = None
        self._taker = threading.Thread(target=self._take_all, name="preview", daemon=True)
        self._ended, self._pictured, self._wanted = threading.Event(), threading.Event(), False
        self._picture: Seen | None = None
        self.newest: Seen | None = None
        """The last frame that came, without its pixels."""
        self.frames = 0
        """How many came."""
        self.exposures_ns: deque[int] = deque(maxlen=_REMEMBERED)
        """When the last ones were exposed."""

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def source(self) -> CameraSource:
        """What the camera delivers."""
        assert self._source is not None, "only inside with"
        return self._source

    @property
    def exposure_us(self) -> float | None:
        """How long it exposes; None: it did not say."""
        driver = self.source.driver
        if driver is not None and driver.exposure_ns > 0:
            return driver.exposure_ns / 1000
        exposure_us = getattr(self._spec, "exposure_us", None)
        return None if exposure_us is None else float(exposure_us)

    @property
    def lost(self) -> str:
        """Why the camera is gone for the moment; empty while it is there."""
        return self._ring.producer_text if self._ring.producer_state == "lost" else ""

    @property
    def over(self) -> bool:
        """It has ended, and every frame was taken."""
        return self._ring.producer_state in ("finished", "failed") and self._ring.recorder_drained

    def dropped(self) -> dict[str, int]:
        """Frames that did not come: lost in the camera, and failed on the way."""
        counts = self._ring.counts()
        return {"camera": counts["missing"], "transport": counts["failed"]}

    def clock(self) -> str:
        """What is known of the camera's clock; empty while it is not fitted."""
        state = self._ring.clock()
        if state["source"] == "none":
            return ""
        return (
            f"{state['drift_ppm']:+.1f} ppm against the host's, residual {state['residual_ns'] / 1e3:.1f} us"
        )

    def frame(self, timeout_s: float) -> Seen | None:
        """The next frame with its pixels; None if none came in time.

        Raises
        ------
        FastposeError
            The camera failed.
        """
        self._pictured.clear()
        self._wanted = True
        came = self._pictured.wait(timeout_s)
        self.check()
        return self._picture if came else None

    def check(self) -> None:
        """Raise what made the camera fail, if it did."""
        assert self._engine is not None
        if self._engine.faulted:
            self._engine.rethrow()
        if self._ring.producer_state == "failed":
            raise CameraError(self._ring.producer_text)

    @property
    def _ring(self) -> _core.Ring:
        assert self.source.ring is not None
        return self.source.ring

    def _open(self) -> None:
        _core.remove_stale_rings()
        self._source = source = open_camera(_NAME, self._spec)
        ring = open_ring(source, loop=False, record=cfg.Record())
        ring.set_recorder_state("ready")
        log = Path(self._folder.name) / "camera.txt"
        source.host = driver_of(self._spec.driver).spawn(source, Hosting(log))
        if source.host is not None:
            source.host.wait_ready(READY_TIMEOUT_S)
        reconnect = isinstance(self._spec, RealCamera) and self._spec.reconnect
        self._engine = _core.Engine(
            cameras=[_core.CameraPart(name=_NAME, ring=ring, driver=source.driver, reconnect=reconnect)],
            log=False,
            realtime=_core.RealtimeRequest(fifo=False, lock_memory=False),
        )
        self._engine.arm()
        self._engine.start()
        self._taker.start()

    def _take_all(self) -> None:
        """On a thread of its own: somebody who looks at a frame must not hold up those that follow."""
        while not self._ended.is_set():
            got = self._ring.recorder_next(_POLL_MS)
            if got is not None:
                self._take(*got)

    def _take(self, slot: int, _frame_id: int, flags: int, exposure_ns: int) -> None:
        seen = Seen(flags, exposure_ns, _core.now_ns())
        if self._wanted:
            self._wanted = False
            self._picture = replace(seen, pixels=slot_array(self._ring, slot).copy())
            self._pictured.set()
        self._ring.recorder_release(slot)
        self.newest = seen
        self.exposures_ns.append(exposure_ns)
        self.frames += 1

    def _close(self) -> None:
        self._ended.set()
        if self._taker.is_alive():
            self._taker.join()
        source, self._source = self._source, None
        if source is not None and source.ring is not None:
            source.ring.request_stop()
            source.ring.disable_recorder()
            if self._engine is not None:
                with suppress(FastposeError):
                    self._engine.stop()
            if source.host is not None and not source.host.wait(_HOST_TIMEOUT_S):
                source.host.stop()
        self._folder.cleanup()
