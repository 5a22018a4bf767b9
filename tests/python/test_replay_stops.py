"""Replay of sessions that a watchdog, a deadline, a stop, a lost camera or dropped frames changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fastpose import Rig
from fastpose.replay import Replay, replay_session
from fastpose.testing import LateMachine, late_session, simulated_poses
from rigs import ALWAYS, Session, rig_config, run_here
from test_replay_late import TIMERS, config_with, states

SAFE = 8  # csrc/record/records.h EventFlag


def edges_of(session: Session, name: str = "laser") -> pd.DataFrame:
    events = session.events
    return events[(events["event"] == "output") & (events["name"] == name)]


def require_same(session: Session) -> Replay:
    """Every edge of the record, with its very stamp and cause, and no other."""
    replay = replay_session(session.folder)
    assert [(each.side, each.event, each.value, each.cause) for each in replay.differences] == []
    mine = replay.events[replay.events["kind"] == 2]
    assert mine["stamp_ns"].tolist() == edges_of(session)["stamp_ns"].tolist()
    assert mine["value"].tolist() == edges_of(session)["value"].tolist()
    return replay


@pytest.mark.parametrize("do", ["follow", {"pulse_ms": 150}], ids=["follow", "pulse"])
def test_the_watchdog_ended_what_was_high(tmp_path: Path, do: Any) -> None:
    gaps = {
        "safety": {"max_pose_gap_ms": 50},
        "cameras.top.rate_hz": 8,  # 125 ms from pose to pose: each of them is a stop
        "cameras.top.frames_total": 34,
        "outputs.laser.max_on_ms": 1000,
        "protocol.do": {"laser": do},
    }
    session = run_here(tmp_path, gaps)
    stops = session.events[session.events["event"] == "stop"]["name"].tolist()
    assert stops[:4] == ["no_poses", "poses_back"] * 2
    edges = edges_of(session)
    assert "safe" in set(edges["cause"])
    replay = require_same(session)
    assert replay.not_compared["stop"] == len(stops)
    assert (replay.events["flags"] & SAFE != 0).sum() >= 2


@pytest.mark.parametrize("on_late", ["suppress", "flag"])
def test_a_deadline_that_some_reactions_missed(tmp_path: Path, on_late: str) -> None:
    """Delays are injected, so that some are late and some are not on every machine."""
    late = {"type": "conditional", "when": "near", "do": {"light": "follow", "valve": {"pulse_ms": 15}}}
    found: dict[str, int] = {"late": 0, "in time": 0}
    for seed in range(8):
        config = config_with({**late, "deadline_ms": 12, "on_late": on_late})
        poses = simulated_poses(config, seconds=8)
        replay = replay_session(late_session(tmp_path / str(seed), config, poses, LateMachine(seed, 30, 0.1)))
        assert replay.differences == []
        rises = replay.events[(replay.events["kind"] == 2) & (replay.events["value"] == 1)]
        is_late = (rises["flags"] & 1) != 0
        found["in time"] += int((~is_late).sum())
        found["late"] += replay.counts.get(("late", "valve"), (0, 0))[1] + int(is_late.sum())
        assert on_late == "flag" or not is_late.any()
    assert min(found.values()) > 0


def test_another_deadline_is_listed(tmp_path: Path) -> None:
    late = {"type": "conditional", "when": "near", "do": {"valve": {"pulse_ms": 15}}, "deadline_ms": 12}
    config = config_with(late)
    poses = simulated_poses(config, seconds=8)
    session = late_session(tmp_path / "s", config, poses, LateMachine(1, 30, 0.1))
    replay = replay_session(session, config=config_with({**late, "deadline_ms": 500}))
    suppressed = [each for each in replay.differences if each.event == "late"]
    assert suppressed and {each.side for each in suppressed} == {"recorded"}


def test_an_emergency_stop_while_the_line_was_high(tmp_path: Path) -> None:
    config = rig_config(
        tmp_path, {**ALWAYS, "cameras.top.frames_total": None, "outputs.laser.max_on_ms": None}
    )
    with Rig(config) as rig:
        for count, _ in enumerate(rig.poses()):
            if count == 40:
                rig.emergency_stop()
            if count == 80:
                break
    session = Session(rig.directory)
    assert edges_of(session)["cause"].tolist() == ["protocol", "safe"]
    assert require_same(session).not_compared == {"stop": 1}


@pytest.mark.parametrize("do", ["follow", {"pulse_ms": 80}], ids=["follow", "pulse"])
def test_a_camera_that_was_lost_while_the_line_was_high(tmp_path: Path, do: Any) -> None:
    lost = {
        "cameras.top.reconnect": True,
        "cameras.top.frames_total": 200,
        "cameras.top.faults": {"disconnect_after_s": 0.31, "reconnect_after_s": 0.3},
        "outputs.laser.max_on_ms": 100,
        "protocol.do": {"laser": do},
    }
    session = run_here(tmp_path, lost)
    assert session.json["counts"]["engine"]["times_lost"] == 1
    edges = edges_of(session)
    if "safe" in set(edges["cause"].iloc[:-1]):  # it was high when the camera went
        after = int(np.flatnonzero(edges["cause"] == "safe")[0]) + 1
        assert edges["value"].iloc[after] == 1
    require_same(session)


def test_frames_that_were_dropped_decide_nothing(tmp_path: Path) -> None:
    """The newest frame wins: a late machine leaves out those behind it, and the replay does, too."""
    config = config_with(states(TIMERS))
    poses = simulated_poses(config, seconds=5)
    replay = replay_session(late_session(tmp_path / "s", config, poses, LateMachine(3, 60, 0.1)))
    assert replay.differences == []
    assert replay.cameras["top"].frames < len(poses) - 20
    whole = replay_session(late_session(tmp_path / "w", config, poses, LateMachine(3, 0)))
    assert whole.cameras["top"].frames == len(poses)
    assert [e.tobytes() for e in whole.events] != [e.tobytes() for e in replay.events]
