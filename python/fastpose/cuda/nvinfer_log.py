"""What TensorRT says while it works: its complaints kept for an error, its steps shown."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fastpose.cuda.progress import Progress

__all__ = ["log_of", "monitor_of"]

_KEPT = 3  # complaints that an error quotes


def log_of(trt: Any) -> Any:
    """A logger of the library that keeps errors, and prints nothing; `text` is the newest, in one line."""
    return _logger(trt)()


def monitor_of(trt: Any, progress: Progress) -> Any:
    """A progress monitor of the library that calls `progress`."""
    return _monitor(trt)(progress)


@lru_cache
def _logger(trt: Any) -> type:
    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.complaints: list[str] = []

        @property
        def text(self) -> str:
            return "; ".join(self.complaints[-_KEPT:])

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.Severity.ERROR:
                self.complaints.append(" ".join(message.split()))

    return Log


@lru_cache
def _monitor(trt: Any) -> type:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self, progress: Progress) -> None:
            trt.IProgressMonitor.__init__(self)
            self._progress, self._steps = progress, dict[str, int]()

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            self._steps[phase] = steps
            self._progress(phase, 0, steps)

        def step_complete(self, phase: str, step: int) -> bool:
            self._progress(phase, step + 1, self._steps.get(phase, 0))
            return True  # go on

        def phase_finish(self, phase: str) -> None:
            self._steps.pop(phase, None)

    return Monitor
