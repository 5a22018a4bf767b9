"""Rig: the Python API of a session, and safe on every exit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastpose as fp
from fastpose import Pose, Rig
from fastpose.errors import ConfigError, FastposeError, ModelError, OutputError, RecordError
from rigs import ALWAYS, ENDLESS, Session, rig_config, serial_laser, write_rig
from terminal import Terminal

ONE_NETWORK = {"path": "builtin:simulated_mouse", "device": "fake"}
TWO_NETWORKS = {"a": ONE_NETWORK, "b": ONE_NETWORK}
NOTHING = {"rules": {}, "protocol": {"type": "none"}}

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_poses_come_in_order_and_as_arrays(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path)) as rig:
        poses = list(rig.poses())
    assert [pose.frame_id for pose in poses] == list(range(120))
    assert np.asarray(poses[0]).shape == (5, 3)
    assert np.asarray(poses[0]).dtype == np.float32
    assert all(pose.age_ns > 0 for pose in poses)
    assert all(b.exposure_start_ns > a.exposure_start_ns for a, b in pairwise(poses))
    assert (rig.ended, rig.warnings) == ("finished", [])


def test_a_pose_is_that_of_the_files_with_its_rules(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path)) as rig:
        poses = list(rig.poses())
    session = Session(rig.directory)
    table = session.poses().to_numpy(np.float32).reshape(-1, 5, 3)
    assert np.array_equal(np.stack([np.asarray(pose) for pose in poses]), table)
    stamps = session.frames["exposure_start_ns"].tolist()
    assert [pose.exposure_start_ns for pose in poses] == stamps
    assert [pose.rules["in_left"] for pose in poses] == [pose["snout"][0] <= 80 for pose in poses]
    assert {pose.rules["in_left"] for pose in poses} == {True, False}


def test_run_gives_a_summary_and_ticks(tmp_path: Path) -> None:
    ticks: list[float] = []
    with Rig(write_rig(tmp_path)) as rig:
        assert rig.elapsed_s == 0
        rig.run(lambda running: ticks.append(running.elapsed_s))
        assert rig.summary is None
    assert len(ticks) > 2
    assert ticks == sorted(ticks)
    assert rig.summary is not None
    assert rig.summary.cameras["top"].processed == 120


def test_a_loaded_config_will_do(tmp_path: Path) -> None:
    with Rig(rig_config(tmp_path, {"cameras.top.frames_total": 10})) as rig:
        assert len(list(rig.poses())) == 10


def test_stop_ends_an_endless_session(tmp_path: Path) -> None:
    seen = 0
    with Rig(write_rig(tmp_path, ENDLESS)) as rig:
        for seen, _ in enumerate(rig.poses(), 1):
            if seen == 20:
                rig.stop("enough")
    assert seen >= 20
    assert Session(rig.directory).json["ended"] == "enough"


def test_duration_ends_the_poses(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path, {**ENDLESS, "session.duration_s": 0.3})) as rig:
        poses = list(rig.poses())
    assert len(poses) == len(Session(rig.directory).frames)
    assert rig.ended == "duration"


def test_leaving_early_is_an_interruption_with_complete_files(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path, ENDLESS)) as rig:
        for pose in rig.poses():
            if pose.frame_id == 10:
                break
    session = Session(rig.directory)
    assert session.json["ended"] == "interrupted"
    assert len(session.frames) > 10
    assert session.frames["processed"].all()


def test_entering_without_starting_leaves_an_empty_session(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path)) as rig:
        assert rig.snapshot()["published"] == 0
    assert len(Session(rig.directory).frames) == 0
    assert Session(rig.directory).poses().shape == (0, 15)


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), KeyboardInterrupt()])
def test_an_exception_of_the_user_leaves_the_line_safe(
    tmp_path: Path, terminal: Terminal, error: BaseException
) -> None:
    changes = {**ENDLESS, **ALWAYS, "outputs.laser": serial_laser(terminal.path)}
    with pytest.raises(type(error)), Rig(write_rig(tmp_path, changes)) as rig:
        for _ in rig.poses():
            terminal.wait_for(b"H")
            raise error
    assert terminal.level == b"L"
    told = Session(rig.directory).json
    assert told["ended"] == ("interrupted" if isinstance(error, KeyboardInterrupt) else "fault")
    assert told["error"] == (str(error) or "KeyboardInterrupt")


def test_the_user_may_command_outputs(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path, {**ENDLESS, "protocol": {"type": "none"}})) as rig:
        for pose in rig.poses():
            if pose.frame_id == 5:
                assert rig.outputs.on("laser")
                assert not rig.outputs.on("laser")
            if pose.frame_id == 10:
                assert rig.outputs.off("laser")
                break
        assert rig.outputs.names == ("laser",)
    events = Session(rig.directory).events
    edges = events[events["event"] == "output"]
    assert edges["value"].tolist() == [1, 0]
    assert edges["cause"].tolist() == ["user", "user"]


@pytest.mark.parametrize(
    "use",
    [
        lambda rig: rig.run(),
        lambda rig: next(rig.poses()),
        lambda rig: rig.start(),
        lambda rig: rig.snapshot(),
        lambda rig: rig.outputs,
        lambda rig: rig.directory,
    ],
    ids=["run", "poses", "start", "snapshot", "outputs", "directory"],
)
def test_use_outside_with_is_refused(tmp_path: Path, use: Any) -> None:
    rig = Rig(write_rig(tmp_path))
    with pytest.raises(FastposeError, match=r"not open: use it as `with Rig\(\.\.\.\) as rig:`"):
        use(rig)
    with rig:
        assert len(list(rig.poses())) == 120


def test_a_rig_runs_once(tmp_path: Path) -> None:
    rig = Rig(write_rig(tmp_path, {"cameras.top.frames_total": 5}))
    with rig:
        rig.run()
    with pytest.raises(FastposeError, match="a rig runs once"), rig:
        pass
    assert rig.summary is not None


def test_close_twice_does_nothing(tmp_path: Path) -> None:
    with Rig(write_rig(tmp_path, {"cameras.top.frames_total": 5})) as rig:
        rig.run()
        rig.close()
        summary = rig.summary
    assert rig.summary is summary is not None


@pytest.mark.parametrize(
    ("changes", "feed", "text"),
    [
        ({"model": None, "rules": {}, "protocol": {"type": "none"}}, True, "model is not given"),
        ({}, False, "feed=True"),
    ],
)
def test_where_there_are_no_poses_it_says_why(
    tmp_path: Path, changes: dict[str, Any], feed: bool, text: str
) -> None:
    with Rig(write_rig(tmp_path, changes), feed=feed) as rig, pytest.raises(ConfigError, match=text):
        next(rig.poses())


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"model.path": "/nowhere"}, ModelError, "no such folder"),
        ({"model.roi": {"x": 100, "y": 0, "width": 100, "height": 100}}, ConfigError, "roi"),
        ({"session.directory": "/proc/sessions"}, RecordError, "'/proc/sessions' cannot be written"),
        ({"outputs.laser": serial_laser("/dev/ttyNone9")}, OutputError, "/dev/ttyNone9"),
        (
            {"record.video": {"codec": "libx264", "options": {"colour": "7"}}},
            RecordError,
            "no option 'colour'",
        ),
        ({"protocol": {"type": "cython", "module": "fastpose.nothing"}}, ConfigError, "fastpose.nothing"),
        ({"protocol": {"type": "python", "path": "gone.py:Lick"}}, ConfigError, "gone.py"),
        (
            {"model": None, "models": TWO_NETWORKS, **NOTHING},
            ConfigError,
            "camera 'top' is seen by models.a already",
        ),
    ],
)
def test_what_cannot_be_opened_leaves_nothing_behind(
    tmp_path: Path, changes: dict[str, Any], error: type[FastposeError], text: str
) -> None:
    with pytest.raises(error) as info, Rig(write_rig(tmp_path, changes)):
        pytest.fail("it opened")
    assert text in str(info.value)
    assert len(info.value.lines) == 1
    assert list((tmp_path / "sessions").glob("*")) == []


def test_a_bad_config_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"session\.subject"):
        Rig(write_rig(tmp_path, {"session.subject": "a/b"}))


def test_a_reader_that_does_not_read_costs_the_loop_nothing(tmp_path: Path) -> None:
    """The feed holds 512 poses; what does not fit is dropped and counted, and the session has every row."""
    changes = {"cameras.top.frames_total": 700, "cameras.top.rate_hz": 1000, "cameras.top.exposure_us": 100}
    with Rig(write_rig(tmp_path, {**changes, "cameras.top.prerender_frames": 10})) as rig:
        rig.run()
        waiting = list(rig.poses())
    assert [pose.frame_id for pose in waiting] == list(range(512))
    session = Session(rig.directory)
    assert session.json["counts"]["engine"]["feed_dropped"] == 700 - 512
    assert len(session.frames) == session.frames["processed"].sum() == 700


def test_the_package_names_its_api() -> None:
    assert fp.Rig is Rig
    assert fp.Pose is Pose
    assert set(fp.__all__) >= {"Rig", "Pose", "Protocol", "Outputs", "load_model"}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fp.nothing  # noqa: B018
