"""Runs a config's rules and protocol over poses, on a clock of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from fastpose import _core
from fastpose import config as cfg
from fastpose.errors import ConfigError
from fastpose.pose import Pose
from fastpose.protocol import Frame, Outputs, Value
from fastpose.protocol_host import load_protocol
from fastpose.replay.build import parts_of
from fastpose.replay.compare import in_order
from fastpose.replay.record import CameraRecord, Input
from fastpose.replay.replay import as_bytes
from fastpose.seeding import with_seed
from fastpose.session.events import EVENTS
from fastpose.session.log import EVENT_DTYPE, Records
from fastpose.session.user_rows import require_column
from fastpose.testing.poses import Poses, recorded_poses, simulated_poses
from fastpose.testing.tried import Tried

__all__ = ["try_protocol"]

NS_PER_MS = 1e6


def try_protocol(
    config: str | os.PathLike[str] | cfg.Config,
    *,
    session: str | Path | None = None,
    poses: Poses | None = None,
    seconds: float = 10.0,
    age_ms: float = 8.0,
) -> Tried:
    """Run a config's filter, rules, protocol and interlock over poses; nothing is opened.

    Parameters
    ----------
    config : path-like or Config
    session : path, optional
        A recorded session whose poses it gets; default: those of the simulated animal.
    poses : Poses, optional
        Others, in place of both.
    seconds, age_ms : float
        Of the simulated session: its length, and the time from exposure to decision.

    Returns
    -------
    Tried
        Edges of rules and outputs, states, rows; and what can be asserted of them.

    Raises
    ------
    ConfigError
        The config is wrong, or asks for what the poses do not have.
    """
    config = with_seed(config if isinstance(config, cfg.Config) else cfg.load_config(config))
    if session is not None and poses is not None:
        raise ConfigError("session and poses are both given; allowed: one of them")
    if poses is None:
        poses = (
            recorded_poses(session, config)
            if session
            else simulated_poses(config, seconds=seconds, age_ms=age_ms)
        )
    events, filtered = _run(config, poses.record)
    rows: list[dict[str, Any]] = []
    if isinstance(config.protocol, cfg.PythonProtocol):
        edges, rows = _run_python(config, config.protocol, poses, events, filtered)
        events = np.concatenate([events[events["kind"] != EVENTS.index("output")], edges])
    frames = poses.record.frames
    start_ns = int(frames["exposure_start_ns"][0])
    return Tried(
        seconds=(int(frames["decided_ns"][-1]) - start_ns) / 1e9,
        start_ns=start_ns,
        events=in_order(events),
        filtered=filtered,
        rules=tuple(config.rules),
        outputs=tuple(config.outputs),
        rows=rows,
    )


def _run(config: cfg.Config, record: CameraRecord) -> tuple[Records, np.ndarray[Any, Any]]:
    end: Input = (int(record.frames["decided_ns"][-1]) + 1, "safe", 0, 0)
    made = _core.replay_camera(
        **parts_of(config, record, acts=True),
        individuals=max(1, len(record.individuals)),
        bodyparts=len(record.bodyparts),
        work_ns=record.work_ns,
        camera=0,
        frames=as_bytes(record.frames),
        raw=record.raw,
        guide=as_bytes(np.zeros(0, EVENT_DTYPE)),
        inputs=[end],
    )
    return made[0].reshape(-1).view(EVENT_DTYPE), made[1]


def _run_python(
    config: cfg.Config,
    spec: cfg.PythonProtocol,
    poses: Poses,
    events: Records,
    filtered: np.ndarray[Any, Any],
) -> tuple[Records, list[dict[str, Any]]]:
    """Every pose to the protocol when it was decided, as if it took no time."""
    frames, record = poses.record.frames, poses.record
    lines = _core.LogicalLines(
        parts_of(config, record, acts=True)["lines"], start_ns=int(frames["exposure_start_ns"][0])
    )
    protocol = load_protocol(spec)
    session = _TriedSession(poses)
    protocol._session = session
    outputs = Outputs(
        tuple(config.outputs),
        lambda output, action, ms: lines.command(session.now_ns, output, action, round(ms * NS_PER_MS)),
    )
    session.now_ns = int(frames["exposure_start_ns"][0])
    protocol.on_start(outputs)
    changes = _rule_edges(events)
    values = dict.fromkeys(config.rules, False)
    names = list(config.rules)
    for index, frame in enumerate(frames):
        for source, value in changes.get(int(frame["frame_id"]), ()):
            values[names[source]] = value
        session.enter(index, frame)
        protocol.on_pose(_pose(record, filtered[index], frame, dict(values)), outputs)
    lines.to_safe(int(frames["decided_ns"][-1]) + 1)
    protocol.on_stop()
    return lines.take_events().reshape(-1).view(EVENT_DTYPE), session.rows


def _rule_edges(events: Records) -> dict[int, list[tuple[int, bool]]]:
    found: dict[int, list[tuple[int, bool]]] = {}
    for event in events[events["kind"] == EVENTS.index("rule")]:
        change = (int(event["source"]), bool(event["value"]))
        found.setdefault(int(event["frame_id"]), []).append(change)
    return found


def _pose(record: CameraRecord, keypoints: np.ndarray[Any, Any], frame: Any, rules: dict[str, bool]) -> Pose:
    exposure_ns = int(frame["exposure_start_ns"])
    age_ns = int(frame["decided_ns"]) - exposure_ns
    return Pose(keypoints.copy(), record.bodyparts, int(frame["frame_id"]), exposure_ns, age_ns, rules)


class _TriedSession:
    """What a protocol may ask for, where nothing runs."""

    def __init__(self, poses: Poses) -> None:
        self._poses = poses
        self._index = -1
        self._start_ns = int(poses.record.frames["exposure_start_ns"][0])
        self.now_ns = 0
        self.rows: list[dict[str, Any]] = []

    def enter(self, index: int, frame: Any) -> None:
        """The frame that is decided now."""
        self._index, self.now_ns = index, int(frame["decided_ns"])

    def frame(self) -> Frame | None:
        """The simulated animal's frame; None for recorded poses."""
        if self._poses.simulation is None or self._index < 0:
            return None
        row = self._poses.record.frames[self._index]
        pixels, _ = self._poses.simulation.render(self._index)
        return Frame(pixels, int(row["frame_id"]), int(row["exposure_start_ns"]))

    def note(self, name: str, **columns: Value) -> None:
        """Keep a row of events.csv."""
        for key, value in columns.items():
            require_column(key, value)
        frame_id = int(self._poses.record.frames["frame_id"][self._index]) if self._index >= 0 else None
        time_s = round((self.now_ns - self._start_ns) / 1e9, 9)
        self.rows.append({"name": name, "time_s": time_s, "frame_id": frame_id, **columns})
