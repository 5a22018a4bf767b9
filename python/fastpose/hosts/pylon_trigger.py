"""Software triggers at a steady rate, on a thread of their own."""

from __future__ import annotations

import contextlib
import importlib
import threading
import time

from fastpose.hosts.common import now_ns
from fastpose.hosts.pylon_camera import BaslerCamera

__all__ = ["SoftwareTrigger"]

_NS = 1_000_000_000


class SoftwareTrigger:
    """``with SoftwareTrigger(camera, rate_hz)``: triggers until the end.

    A trigger that the camera is not ready for is left out and counted; those after it keep their times.

    Parameters
    ----------
    camera : BaslerCamera
        That grabs.
    rate_hz : float
    """

    def __init__(self, camera: BaslerCamera, rate_hz: float) -> None:
        self._camera, self._period_ns = camera, round(_NS / rate_hz)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trigger", daemon=True)
        self.left_out = 0

    def __enter__(self) -> SoftwareTrigger:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        genicam = importlib.import_module("pypylon.genicam")
        start_ns, index = now_ns(), 0
        with contextlib.suppress(genicam.GenericException):  # it is gone, as the grabbing thread sees too
            while not self._ended.is_set():
                self.left_out += not self._camera.trigger()
                index = max(index + 1, -(-(now_ns() - start_ns) // self._period_ns))
                self._sleep_until(start_ns + index * self._period_ns)

    def _sleep_until(self, due_ns: int) -> None:
        while (left_ns := due_ns - now_ns()) > 0 and not self._ended.is_set():
            time.sleep(min(left_ns, _NS // 10) / _NS)
