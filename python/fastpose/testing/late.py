"""A session as on a machine that is late at will: for tests of what must not depend on lateness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fastpose import _core
from fastpose import config as cfg
from fastpose.replay.build import parts_of
from fastpose.replay.compare import in_order
from fastpose.replay.record import Input
from fastpose.replay.replay import as_bytes
from fastpose.seeding import with_seed
from fastpose.session.log import EVENT_DTYPE, FRAME_DTYPE
from fastpose.testing.poses import Poses
from fastpose.testing.session import write_session
from fastpose.testing.tried import Tried

__all__ = ["LateMachine", "late_session"]


@dataclass(frozen=True)
class LateMachine:
    """How late things are done; all of it follows from the seed.

    Attributes
    ----------
    worst_ms : float
        Longest of the delays: before and after each stage, command and write.
    share : float
        Of the places where there may be one, 0-1.
    """

    seed: int = 0
    worst_ms: float = 20.0
    share: float = 0.05


def late_session(
    folder: str | Path,
    config: cfg.Config,
    poses: Poses,
    machine: LateMachine,
    *,
    inputs: Sequence[Input] = (),
) -> Path:
    """Run a config's filter, rules, protocol and interlock over poses on a late machine; write the session.

    Parameters
    ----------
    folder : path
        Must not hold a session.
    config : Config
        Its `safety.max_pose_gap_ms` counts.
    poses : Poses
    machine : LateMachine
    inputs : sequence
        Commands of Python, and when the outputs go safe and are armed again, at their earliest times.

    Returns
    -------
    Path
        The session folder, with a log as the engine writes it.

    Raises
    ------
    ConfigError
        The config asks for what the poses do not have.
    RecordError
        A file cannot be written.
    """
    config, record = with_seed(config), poses.record
    events, frames, places, filtered, ended_ns = _core.late_camera(
        **parts_of(config, record, acts=True),
        individuals=max(1, len(record.individuals)),
        bodyparts=len(record.bodyparts),
        work_ns=record.work_ns,
        frames=as_bytes(record.frames),
        raw=record.raw,
        inputs=list(inputs),
        seed=machine.seed,
        worst_ns=round(machine.worst_ms * 1e6),
        share=machine.share,
        max_pose_gap_ns=round((config.safety.max_pose_gap_ms or 0) * 1e6),
    )
    start_ns = int(record.frames["exposure_start_ns"][0])
    tried = Tried(
        seconds=(ended_ns - start_ns) / 1e9,
        start_ns=start_ns,
        events=in_order(events.reshape(-1).view(EVENT_DTYPE)),
        filtered=filtered,
        rules=tuple(config.rules),
        outputs=tuple(config.outputs),
        rows=[],
    )
    done = replace(
        record,
        frames=frames.reshape(-1).view(FRAME_DTYPE),
        raw=np.ascontiguousarray(record.raw[places]),
        filtered=filtered,
        video_frame=np.full(len(places), -1, np.int64),
    )
    return write_session(folder, config, Poses(done), tried, ended_ns=ended_ns)
