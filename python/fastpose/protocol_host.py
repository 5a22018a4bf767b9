"""The thread that a Python protocol runs on, beside the loop."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastpose import _core
from fastpose.config import PythonProtocol
from fastpose.errors import ConfigError
from fastpose.pose import Pose
from fastpose.pose_streams import PoseTap
from fastpose.protocol import Outputs, Protocol
from fastpose.protocol_session import LiveProtocolSession

__all__ = ["ProtocolHost", "load_protocol"]

WAIT_MS = 100.0
GRACE_S = 2.0  # for the poses that wait when the session ends
PATIENCE_S = 10.0  # for a call that does not return


def load_protocol(spec: PythonProtocol) -> Protocol:
    """Import the user's file and make the protocol.

    Raises
    ------
    ConfigError
        The file cannot be imported, or holds no such class.
    """
    module = _module(spec)
    found = getattr(module, spec.class_name, None)
    if not (inspect.isclass(found) and issubclass(found, Protocol)):
        names = [
            n
            for n, c in vars(module).items()
            if inspect.isclass(c) and issubclass(c, Protocol) and c is not Protocol
        ]
        raise ConfigError(
            f"protocol.path is {spec.path!r}: {spec.class_name} is no subclass of fastpose.Protocol there; "
            f"allowed: {', '.join(names) or 'none, the file has no such class'}"
        )
    try:
        return found()
    except Exception as error:
        raise ConfigError(f"protocol {spec.class_name} cannot be made: {_told(error)}") from error


def _module(spec: PythonProtocol) -> Any:
    name = f"fastpose_protocol_{spec.file.stem}"
    loader = importlib.util.spec_from_file_location(name, spec.file)
    if loader is None or loader.loader is None or not spec.file.is_file():
        raise ConfigError(f"protocol.path is {spec.path!r}: no such file")
    module = importlib.util.module_from_spec(loader)
    sys.modules[name] = module
    try:
        loader.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"protocol.path is {spec.path!r}: importing it raised {_told(error)}") from error
    return module


def _told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())  # one line, whatever the text


class ProtocolHost:
    """Feeds every pose to the protocol; its exception becomes a fault of the engine."""

    def __init__(
        self,
        protocol: Protocol,
        engine: _core.Engine | PoseTap,
        outputs: Outputs,
        pose_from: Callable[[tuple[Any, ...]], Pose],
        camera: int = 0,
        session: LiveProtocolSession | None = None,
    ) -> None:
        self._session = protocol._session = session
        self._protocol, self._engine, self._outputs, self._pose_from = protocol, engine, outputs, pose_from
        self._camera = camera
        self._thread = threading.Thread(target=self._run, name="fp-protocol", daemon=True)
        self._over = threading.Event()
        self._over_s = 0.0
        self.name = f"protocol {type(protocol).__name__}"
        self.undelivered = 0  # poses left in the feed when the session ended
        self.complaints: list[str] = []
        self.error: BaseException | None = None

    @property
    def error_text(self) -> str:
        """What the protocol raised and where, in one line."""
        if self.error is None:
            return ""
        place = traceback.extract_tb(self.error.__traceback__)[-1]
        return f"{self.name} raised {_told(self.error)} ({Path(place.filename).name}, line {place.lineno})"

    @property
    def traceback(self) -> str:
        """The way to what the protocol raised, for the session's log; empty if nothing was raised."""
        return "" if self.error is None else "".join(traceback.format_exception(self.error)).rstrip()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self) -> None:
        """End the thread: waiting poses are delivered for `GRACE_S`; a call that hangs is left behind."""
        if not self._over.is_set():
            self._over_s = time.monotonic()
            self._over.set()
        if not self._thread.is_alive() or self.complaints:
            return
        self._thread.join(GRACE_S + PATIENCE_S)
        if self._thread.is_alive():
            self.complaints.append(f"{self.name} did not return within {PATIENCE_S:g} s and was left behind")

    def _run(self) -> None:
        try:
            self._protocol.on_start(self._outputs)
            while (sample := self._next()) is not None:
                self._give(self._pose_from(sample))
            self._protocol.on_stop()
        except BaseException as error:  # whatever it is, the outputs go safe
            self.error = error
            self._engine.post_fault("FastposeError", self.error_text)

    def _give(self, pose: Pose) -> None:
        if self._session is not None:
            self._session.pose = pose
        self._protocol.on_pose(pose, self._outputs)

    def _next(self) -> tuple[Any, ...] | None:
        while True:
            over = self._over.is_set()  # asked first: what came until then is in the feed
            sample = self._engine.next_pose(0.0 if over else WAIT_MS, self._camera)
            if sample is None and over:
                return None
            if over and time.monotonic() - self._over_s > GRACE_S:
                self.undelivered += 1
            elif sample is not None:
                return sample
