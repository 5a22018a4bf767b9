"""Runs the frames of a session through rules, protocol and interlock again, and says what differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose import config as cfg
from fastpose.errors import ConfigError
from fastpose.replay.build import Parts, acting_camera, parts_of, require_supported, seen_rules
from fastpose.replay.compare import Difference, Names, differences, in_order
from fastpose.replay.record import CameraRecord, Input, SessionRecord, read_record
from fastpose.replay.video import poses_of_video
from fastpose.seeding import with_seed
from fastpose.session.events import EVENTS
from fastpose.session.log import EVENT_DTYPE, Records

__all__ = ["CameraReplay", "Replay", "as_bytes", "replay_session"]

Source = Literal["poses", "video"]

BEHAVIOUR = ("filter", "calibration", "calibrations", "zones", "rules", "outputs", "protocol")
"""The sections of a config that a replay runs."""

DECIDED = ("rule", "state", "output", "refused", "late", "trial", "level")
"""The kinds of events that a replay decides."""

WORLD = {
    "confirmed": "the device said so, at a time of its own",
    "stop": "poses stopped or came back, or a person stopped it: an input of a replay",
    "user": "a row of a Python protocol, which decides beside the loop",
}
"""The kinds that tell of the world, and why a replay does not have them."""


@dataclass(frozen=True)
class CameraReplay:
    """How the poses of one camera came through.

    Attributes
    ----------
    frames, dropped, missing_poses, not_in_video : int
        Processed in the session; not processed; whose pose was lost; whose pixels no video holds, so that
        the recorded pose stands in.
    raw_px, filtered_px : float
        Largest difference of a coordinate from the recorded raw and filtered poses; nan where a keypoint is
        in one only. 0: bit-identical.
    """

    frames: int
    dropped: int
    missing_poses: int
    not_in_video: int
    raw_px: float
    filtered_px: float


@dataclass(frozen=True)
class Replay:
    """A session, replayed.

    Attributes
    ----------
    session : Path
    same_config : bool
        The session's own config was replayed: `differences` are from the record, times included. Else from
        a replay of the session's config, in which lines take no time.
    source : str
        `poses` or `video`.
    cameras : dict of CameraReplay
    events : ndarray
        (n,) structured as `EVENT_DTYPE`, in order of time.
    differences : list of Difference
        [] where every edge is bit-identical.
    counts : dict
        By event and name: (recorded, replayed).
    not_compared : dict
        How many events of the record a replay does not decide, by kind: those of `WORLD`.
    latest_end_ms : float
        Longest time between the due end of a pulse and its recorded edge.
    notes : list of str
    """

    session: Path
    same_config: bool
    source: Source
    cameras: dict[str, CameraReplay]
    events: Records
    differences: list[Difference]
    counts: dict[tuple[str, str], tuple[int, int]]
    latest_end_ms: float
    not_compared: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Every edge is the same."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "session": str(self.session),
            "same_config": self.same_config,
            "from": self.source,
            "identical": self.identical,
            "cameras": {name: dict(vars(camera)) for name, camera in self.cameras.items()},
            "counts": [
                {"event": event, "name": name, "recorded": old, "replayed": new}
                for (event, name), (old, new) in self.counts.items()
            ],
            "differences": [difference.as_json() for difference in self.differences],
            "not_compared": self.not_compared,
            "latest_end_ms": self.latest_end_ms,
            "notes": self.notes,
        }


@dataclass(frozen=True)
class _Run:
    """All cameras of a session through one config."""

    events: Records
    filtered: dict[str, npt.NDArray[np.float32]]
    latest_end_ns: int


def replay_session(
    session: str | Path, *, config: cfg.Config | None = None, source: Source = "poses"
) -> Replay:
    """Run a session once more, without cameras.

    Parameters
    ----------
    session : path
        A session folder.
    config : Config, optional
        Filter, rules, outputs and protocol to try on it; default: the session's own.
    source : str
        `poses`: as recorded. `video`: the recorded frames through the config's network again.

    Raises
    ------
    RecordError
        The session or its video cannot be read.
    ConfigError
        The config asks for what the session has not, or for what cannot be replayed.
    """
    record = read_record(Path(session))
    asked = _with_recorded_seed(config or record.config, record.config)
    same = config is None or _behaviour(asked) == _behaviour(record.config)
    require_supported(asked, record.cameras)
    seen, not_in_video = _seen(record, asked, source)
    exact = same and source == "poses"
    run = _run(record, asked, seen, guide=exact)
    against = record.events if exact else _run(record, record.config, record.cameras, guide=False).events
    return _compared(record, asked, run, against, seen, (same, source, not_in_video))


def _with_recorded_seed(config: cfg.Config, recorded: cfg.Config) -> cfg.Config:
    """A protocol whose chance has no seed gets that of the session, so that chance makes no difference."""
    seed = getattr(recorded.protocol, "seed", None)
    if seed is None or getattr(config.protocol, "seed", 0) is not None:
        return with_seed(config)
    protocol = config.protocol.model_copy(update={"seed": seed})
    return config.model_copy(update={"protocol": protocol})


def _behaviour(config: cfg.Config) -> dict[str, Any]:
    """What a replay makes of a config."""
    content = config.model_dump(mode="json")
    return {name: content[name] for name in BEHAVIOUR}


def _seen(
    record: SessionRecord, config: cfg.Config, source: Source
) -> tuple[dict[str, CameraRecord], dict[str, int]]:
    if source == "poses":
        return record.cameras, dict.fromkeys(record.cameras, 0)
    if source != "video":
        raise ConfigError(f"--from is {source!r}; allowed: poses, video")
    found = {name: poses_of_video(record.folder, config, camera) for name, camera in record.cameras.items()}
    return {name: each[0] for name, each in found.items()}, {name: each[1] for name, each in found.items()}


def _run(record: SessionRecord, config: cfg.Config, cameras: dict[str, CameraRecord], *, guide: bool) -> _Run:
    acting = acting_camera(config, cameras)
    runs = {name: _of_camera(record, config, camera) for name, camera in cameras.items() if name != acting}
    others = [events for events, _, _ in runs.values()]
    inputs = _renamed(record.inputs, record.outputs, list(config.outputs))
    guided = record.events if guide else record.events[:0]
    runs[acting] = _of_acting(record, config, cameras[acting], guided, inputs, others)
    return _Run(
        in_order(np.concatenate([events for events, _, _ in runs.values()])),
        {name: runs[name][1] for name in cameras},
        max(latest_ns for _, _, latest_ns in runs.values()),
    )


_Made = tuple[Records, npt.NDArray[np.float32], int]  # events, filtered, latest_end_ns


def _of_camera(record: SessionRecord, config: cfg.Config, camera: CameraRecord) -> _Made:
    """Of a camera that only looks."""
    parts, none = parts_of(config, camera, acts=False), as_bytes(record.events[:0])
    return _replayed(parts, camera, record, guide=none, inputs=[])


def _of_acting(
    record: SessionRecord,
    config: cfg.Config,
    camera: CameraRecord,
    guide: Records,
    inputs: list[Input],
    others: list[Records],
) -> _Made:
    seen = seen_rules(config)
    rules = list(config.rules)
    edges = in_order(np.concatenate([record.events[:0], *others]))
    return _replayed(
        parts_of(config, camera, acts=True, seen=seen),
        camera,
        record,
        guide=as_bytes(guide),
        inputs=inputs,
        seen=[rules.index(name) for name in seen],
        others=as_bytes(edges[edges["kind"] == EVENTS.index("rule")]) if seen else None,
    )


def _replayed(parts: Parts, camera: CameraRecord, record: SessionRecord, **values: Any) -> _Made:
    events, filtered, latest_ns = _core.replay_camera(
        **parts,
        **values,
        individuals=max(1, len(camera.individuals)),
        bodyparts=len(camera.bodyparts),
        work_ns=camera.work_ns,
        camera=list(record.config.cameras).index(camera.camera),
        frames=as_bytes(camera.frames),
        raw=camera.raw,
    )
    return events.reshape(-1).view(EVENT_DTYPE), filtered, latest_ns


def as_bytes(records: Records) -> npt.NDArray[np.uint8]:
    """(n, bytes of a record) as the engine takes them."""
    size = records.dtype.itemsize
    return np.ascontiguousarray(records).view(np.uint8).reshape(len(records), size)


def _renamed(inputs: list[Input], old: tuple[str, ...], new: list[str]) -> list[Input]:
    """The inputs with the numbers that another config gives to the outputs; those of none are left out."""
    out: list[Input] = []
    for time_ns, what, output, duration_ns in inputs:
        if what in ("safe", "arm"):
            out.append((time_ns, what, 0, 0))
        elif output < len(old) and old[output] in new:
            out.append((time_ns, what, new.index(old[output]), duration_ns))
    return out


def _compared(
    record: SessionRecord,
    config: cfg.Config,
    run: _Run,
    against: Records,
    seen: dict[str, CameraRecord],
    how: tuple[bool, Source, dict[str, int]],
) -> Replay:
    same, source, not_in_video = how
    names = (
        Names(record.rules or tuple(record.config.rules), record.outputs or tuple(record.config.outputs)),
        Names(tuple(config.rules), tuple(config.outputs)),
    )
    start_ns = min(int(camera.frames["exposure_start_ns"].min(initial=2**62)) for camera in seen.values())
    decided = _of_replay(against)
    return Replay(
        session=record.folder,
        same_config=same,
        source=source,
        cameras={
            name: _camera(record.cameras[name], camera, run.filtered[name], not_in_video[name])
            for name, camera in seen.items()
        },
        events=run.events,
        differences=differences(decided, run.events, names, start_ns=start_ns),
        counts=_counts(decided, run.events, names),
        latest_end_ms=run.latest_end_ns / 1e6,
        not_compared=_of_world(record.events),
        notes=_notes(record, config),
    )


def _of_replay(events: Records) -> Records:
    return events[np.isin(events["kind"], [EVENTS.index(kind) for kind in DECIDED])]


def _of_world(events: Records) -> dict[str, int]:
    counts = {kind: int((events["kind"] == EVENTS.index(kind)).sum()) for kind in WORLD}
    return {kind: count for kind, count in counts.items() if count}


def _camera(
    recorded: CameraRecord, seen: CameraRecord, filtered: npt.NDArray[np.float32], not_in_video: int
) -> CameraReplay:
    return CameraReplay(
        frames=len(recorded.frames),
        dropped=recorded.dropped,
        missing_poses=recorded.missing_poses,
        not_in_video=not_in_video,
        raw_px=_largest_px(recorded.raw, seen.raw),
        filtered_px=_largest_px(recorded.filtered, filtered),
    )


def _largest_px(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    difference = np.abs(one[..., :2] - other[..., :2])
    both_missing = np.isnan(one[..., :2]) & np.isnan(other[..., :2])
    largest = np.where(both_missing, 0, difference).max(initial=0)
    return round(float(largest), 6)


def _counts(
    recorded: Records, replayed: Records, names: tuple[Names, Names]
) -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for side, (events, of) in enumerate(((recorded, names[0]), (replayed, names[1]))):
        for kind, source in zip(events["kind"].tolist(), events["source"].tolist(), strict=True):
            event = EVENTS[kind]
            listed = {"rule": of.rules, "state": ("protocol",), "trial": ()}.get(event, of.outputs)
            name = listed[source] if 0 <= source < len(listed) else str(source)
            found.setdefault((event, name), [0, 0])[side] += 1
    return {key: (old, new) for key, (old, new) in sorted(found.items())}


def _notes(record: SessionRecord, config: cfg.Config) -> list[str]:
    world = _of_world(record.events)
    notes = [f"{count} event(s) {kind} are not compared: {WORLD[kind]}" for kind, count in world.items()]
    if record.lost_records:
        notes.append(f"{record.lost_records} record(s) of the log are lost: what hung on them may differ")
    commands = sum(what not in ("safe", "arm") for _, what, _, _ in record.inputs)
    if commands:
        by = "the Python protocol" if isinstance(record.config.protocol, cfg.PythonProtocol) else "Python"
        notes.append(f"{commands} command(s) of {by} were taken from the record, as poses are")
    if isinstance(config.protocol, cfg.PythonProtocol):
        notes.append("a Python protocol decides beside the loop: try it with fastpose.testing")
    identities = {str(model.identity) for model in config.analysed.values()}
    if identities != {str(model.identity) for model in record.config.analysed.values()}:
        notes.append("identity was not applied again: recorded poses have their individuals already")
    return notes
