"""The session folder before the first frame: config, meta data and the headers of the log."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import shutil
import socket
import sys
import time
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.network import Network
from fastpose.cpu import this_cpu
from fastpose.errors import RecordError
from fastpose.session.atomic import write_json
from fastpose.session.log import EVENT_DTYPE, FRAME_DTYPE, log_header, pose_dtype

__all__ = ["Names", "SessionFolder", "model_details"]

LIBRARIES = ("fastpose-rig", "openvino", "av", "numpy", "pyarrow")


def model_details(network: Network) -> dict[str, Any]:
    """What session.json says of a network."""
    return {
        "name": network.package.name,
        "sha256": network.package.sha256,
        "skeleton": [list(edge) for edge in network.package.skeleton],
        "text": network.description,
        "runs": [each.as_json() for each in network.runs],
    }


class Names:
    """The names that records refer to by index."""

    def __init__(
        self,
        config: cfg.Config,
        bodyparts: tuple[str, ...] = (),
        individuals: tuple[str, ...] = (),
        unique_bodyparts: tuple[str, ...] = (),
    ) -> None:
        self.bodyparts, self.individuals, self.unique_bodyparts = bodyparts, individuals, unique_bodyparts
        self.rules, self.outputs = tuple(config.rules), tuple(config.outputs)
        self.cameras = tuple(config.cameras)
        protocol = config.protocol
        is_plain = isinstance(protocol, cfg.ConditionalProtocol) and protocol.is_plain
        machine = None if is_plain else cfg.as_states(protocol)
        self.states = tuple(machine.all_states) if machine else ()
        self.trials = tuple(machine.trials.types) if machine and machine.trials else ()


class SessionFolder:
    """``<directory>/<subject>_<YYYY-MM-DD_HH-MM-SS>/``, made and filled with what is known before the start.

    Raises
    ------
    RecordError
        It cannot be made or written.
    """

    def __init__(self, config: cfg.Config) -> None:
        self.path = _make(config.session)
        self.log = self.path / "log"

    def write_config(self, config: cfg.Config) -> None:
        """Write ``config.yaml``, every default filled in."""
        with _record_errors(self.path):
            (self.path / "config.yaml").write_text(cfg.resolved_yaml(config), encoding="utf-8")

    def write_meta(self, config: cfg.Config, details: dict[str, Any]) -> None:
        """Write ``log/meta.json``: what session.json will say of the start."""
        meta = {
            "config": config.model_dump(mode="json"),
            "versions": _versions(),
            "host": _host(),
            "created": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "unix_ns": time.time_ns(),
            "monotonic_ns": _core.now_ns(),
            **details,
        }
        with _record_errors(self.path):
            write_json(self.log / "meta.json", meta)

    def write_ended(self, ended: str, error: str | None, counts: dict[str, Any]) -> None:
        """Write ``log/ended.json``: its absence tells a killed session."""
        with _record_errors(self.path):
            write_json(self.log / "ended.json", {"ended": ended, "error": error, **counts})

    def say(self, text: str) -> None:
        """Append to ``log.txt``; on a full disk the line is lost, which stops nothing."""
        stamp = datetime.now().astimezone().isoformat(timespec="milliseconds")
        with contextlib.suppress(OSError), (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{stamp} {text}\n")

    def remove(self) -> None:
        """Take the folder away again: nothing came of the session."""
        shutil.rmtree(self.path, ignore_errors=True)

    def frame_log(self, camera: str, names: Names) -> _core.LogSpec:
        return self._log(f"frames_{camera}", "frames", FRAME_DTYPE, camera, names)

    def pose_log(self, camera: str, names: Names) -> _core.LogSpec:
        dtype = pose_dtype(max(1, len(names.individuals)), len(names.bodyparts))
        return self._log(f"poses_{camera}", "poses", dtype, camera, names)

    def event_log(self, names: Names) -> _core.LogSpec:
        return self._log("events", "events", EVENT_DTYPE, None, names)

    def _log(
        self, stem: str, kind: str, dtype: np.dtype[np.void], camera: str | None, names: Names
    ) -> _core.LogSpec:
        header = log_header(
            kind,
            dtype,
            camera=camera,
            bodyparts=names.bodyparts,
            individuals=names.individuals,
            unique_bodyparts=names.unique_bodyparts,
            rules=names.rules,
            outputs=names.outputs,
            cameras=names.cameras,
            states=names.states,
            trials=names.trials,
            scorer="fastpose",
        )
        return _core.LogSpec(str(self.log / f"{stem}.fplog"), json.dumps(header))


class _record_errors:  # noqa: N801  reads as a function
    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, RecordError):
            raise RecordError(
                f"session folder '{self._path}' cannot be written: {error.strerror}; "
                "free space there or set session.directory to another place"
            ) from error


def _make(session: cfg.Session) -> Path:
    stem = f"{session.subject}_{datetime.now().strftime('%Y-%m-%d_%H-%M-%S')}"
    with _record_errors(session.directory):
        session.directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(100):
            path = session.directory / (stem if attempt == 0 else f"{stem}-{attempt + 1}")
            try:
                (path / "log").mkdir(parents=True)
            except FileExistsError:
                continue
            return path
    raise RecordError(f"session folder '{session.directory / stem}' and 99 more of its name exist already")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "not installed"
    return found


def _host() -> dict[str, Any]:
    return {
        "name": socket.gethostname(),
        "user": getpass.getuser() if "USER" in os.environ or sys.platform != "win32" else "",
        "platform": platform.platform(),
        "cpu": this_cpu().name,
        "cpus": os.cpu_count(),
    }
