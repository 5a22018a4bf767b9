"""Protocols of the user in whole sessions: in Python beside the loop, and compiled in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastpose.sim import Simulation
from rigs import ALWAYS, ENDLESS, HEIGHT, WIDTH, Session, run_here, run_process, serial_laser, write_rig
from terminal import Terminal


def python_protocol(folder: Path, body: str) -> dict[str, Any]:
    """A protocol whose methods are given, and a list of notes that it leaves in a file."""
    (folder / "mine.py").write_text(
        "import json, time\n"
        "from pathlib import Path\n"
        "from fastpose import Protocol\n\n"
        "class Mine(Protocol):\n"
        "    def __init__(self):\n"
        "        self.notes = []\n"
        "    def on_stop(self):\n"
        "        Path(__file__).with_name('notes.json').write_text(json.dumps(self.notes))\n" + body
    )
    return {"protocol": {"type": "python", "path": "mine.py:Mine"}}


def notes(folder: Path) -> list[Any]:
    found: list[Any] = json.loads((folder / "notes.json").read_text())
    return found


def test_it_gets_every_pose_in_order_with_its_age(tmp_path: Path) -> None:
    body = (
        "    def on_pose(self, pose, outputs):\n"
        "        snout_x = float(pose['snout'][0])\n"
        "        self.notes.append([pose.frame_id, pose.exposure_start_ns, pose.age_ns, snout_x])\n"
    )
    session = run_here(tmp_path, python_protocol(tmp_path, body))
    frames, seen = session.frames, notes(tmp_path)
    assert [note[0] for note in seen] == list(range(120))
    assert [note[1] for note in seen] == frames["exposure_start_ns"].tolist()
    ages_ns = frames["decided_ns"] - frames["exposure_start_ns"]
    assert [note[2] for note in seen] == ages_ns.tolist()
    assert [note[3] for note in seen] == pytest.approx(session.poses()[("snout", "x")])
    assert session.json["counts"]["engine"]["feed_dropped"] == 0
    assert session.json["warnings"] == []


def test_it_drives_outputs_behind_the_interlock(tmp_path: Path) -> None:
    body = (
        "    def on_pose(self, pose, outputs):\n"
        "        if pose.frame_id == 10: self.notes.append(outputs.on('laser'))\n"
        "        if pose.frame_id == 70: outputs.off('laser')\n"
        "        if pose.frame_id == 80: self.notes.append(outputs.pulse('laser', 2.0))\n"
    )
    changes = {**python_protocol(tmp_path, body), "outputs.laser": {"driver": "sim", "max_on_ms": 50}}
    session = run_here(tmp_path, changes)
    edges = session.events[session.events["event"] == "output"]
    assert notes(tmp_path) == [True, True]
    assert edges["value"].tolist() == [1, 0, 1, 0]
    assert edges["cause"].tolist() == ["user", "interlock", "user", "timer"]


def test_its_exception_ends_the_session_outputs_safe(tmp_path: Path, terminal: Terminal) -> None:
    body = (
        "    def on_pose(self, pose, outputs):\n"
        "        outputs.on('laser')\n"
        "        if pose.frame_id >= 30:\n"
        "            raise ValueError('the lick sensor is gone')\n"
    )
    changes = {**ENDLESS, **python_protocol(tmp_path, body), "outputs.laser": serial_laser(terminal.path)}
    ended = run_process(write_rig(tmp_path, changes))
    assert ended.code == 2
    assert ended.complaint == (
        "fastpose: protocol Mine raised ValueError: the lick sensor is gone (mine.py, line 13)"
    )
    assert terminal.level == b"L"
    assert b"H" in terminal.received
    (folder,) = (tmp_path / "sessions").iterdir()
    session = Session(folder)
    assert session.json["ended"] == "fault"
    assert "Traceback" in session.log_text and "lick sensor" in session.log_text
    assert session.frames["processed"].all()
    assert len(session.frames) >= 30


def test_an_exception_after_the_last_pose_is_no_success(tmp_path: Path) -> None:
    changes = python_protocol(tmp_path, "    def on_pose(self, pose, outputs): pass\n")
    with (tmp_path / "mine.py").open("a") as file:
        file.write("    def on_stop(self): self.gone\n")
    ended = run_process(write_rig(tmp_path, changes))
    assert ended.code == 2
    assert "protocol Mine raised AttributeError" in ended.complaint
    (folder,) = (tmp_path / "sessions").iterdir()
    assert len(Session(folder).frames) == 120


def test_a_slow_protocol_costs_the_loop_nothing(tmp_path: Path) -> None:
    """It sleeps through 600 poses; the loop has them all, the protocol what fits into its feed."""
    body = (
        "    def on_pose(self, pose, outputs):\n"
        "        self.notes.append(pose.frame_id)\n"
        "        time.sleep(3.0 if pose.frame_id == 0 else 0.0)\n"
    )
    changes = {
        **python_protocol(tmp_path, body),
        "cameras.top.rate_hz": 1000,
        "cameras.top.exposure_us": 100,
        "cameras.top.prerender_frames": 10,
        "cameras.top.frames_total": 700,
        "record.video": None,
    }
    session = run_here(tmp_path, changes)
    frames, seen = session.frames, notes(tmp_path)
    assert len(frames) == frames["processed"].sum() == 700
    assert seen == sorted(set(seen))
    dropped = session.json["counts"]["engine"]["feed_dropped"]
    assert dropped > 0
    (warning,) = session.json["warnings"]
    assert warning.startswith(f"protocol Mine was too slow: it did not get {700 - len(seen)} poses")
    assert session.summary is not None
    assert warning in session.summary.warnings


def test_a_busy_protocol_does_not_hold_up_camera_and_encoder(tmp_path: Path) -> None:
    """It never lets go of the interpreter by itself; every frame is processed and recorded."""
    body = (
        "    def on_pose(self, pose, outputs):\n"
        "        end = time.monotonic() + 0.02\n"
        "        while time.monotonic() < end: pass\n"
        "        self.notes.append(pose.frame_id)\n"
    )
    session = run_here(tmp_path, {**python_protocol(tmp_path, body), "cameras.top.rate_hz": 60})
    frames = session.frames
    assert frames["processed"].all() and frames["recorded"].all()
    assert len(frames) == 120
    assert len(notes(tmp_path)) > 0


def test_poses_are_the_protocols_own(tmp_path: Path) -> None:
    from fastpose import Rig
    from fastpose.errors import ConfigError

    changes = python_protocol(tmp_path, "    def on_pose(self, pose, outputs): pass\n")
    with Rig(write_rig(tmp_path, changes)) as rig, pytest.raises(ConfigError, match="it gets the poses"):
        next(rig.poses())


COMPILED = {"protocol": {"type": "cython", "module": "fastpose.example_policy"}}


def test_a_compiled_protocol_runs_in_the_loop(tmp_path: Path) -> None:
    """The example pulses when the heading turns fast; in 16 map columns it turns twice in 16 frames."""
    camera = {"cameras.top.size": [128, 120], "cameras.top.rate_hz": 20, "cameras.top.frames_total": 40}
    session = run_here(tmp_path, {**COMPILED, **camera, "record.video": None})
    events, poses = session.events, session.poses()
    turned = turns_faster_than(poses, session.frames["exposure_start_ns"].to_numpy(np.int64), 90.0)
    states = events[events["event"] == "state"]
    assert 0 < turned.sum() < len(turned)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], turned.astype(int)])))
    assert states["frame_id"].tolist() == edges.tolist()
    highs = events[(events["event"] == "output") & (events["value"] == 1)]
    assert len(highs) > 0
    assert turned[highs["frame_id"].astype(int)].all()
    assert session.output_levels()[-1] == 0


def turns_faster_than(
    poses: Any, exposure_ns: np.ndarray[Any, Any], limit_deg_s: float
) -> np.ndarray[Any, Any]:
    """What the example computes, in NumPy: (n,) bool."""
    way = poses["snout"][["x", "y"]].to_numpy() - poses["tailbase"][["x", "y"]].to_numpy()
    heading = np.unwrap(np.arctan2(way[:, 1], way[:, 0]))
    speed = np.abs(np.diff(heading)) / (np.diff(exposure_ns) * 1e-9)
    return np.concatenate([[False], np.degrees(speed) > limit_deg_s])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"protocol": {"type": "cython", "module": "fastpose.nothing"}}, "no module 'fastpose.nothing'"),
        ({"protocol": {"type": "cython", "module": "fastpose.errors"}}, "'fastpose.errors': "),
        ({**COMPILED, "outputs": {}}, "'fastpose.example_policy' refuses this config: 0 outputs"),
    ],
)
def test_a_compiled_protocol_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    ended = run_process(write_rig(tmp_path, changes))
    assert ended.code == 2
    assert text in ended.complaint


def test_follow_is_high_while_the_rule_holds(tmp_path: Path) -> None:
    session = run_here(tmp_path, {**ALWAYS, "outputs.laser": {"driver": "sim"}})
    edges = session.events[session.events["event"] == "output"]
    assert edges["value"].tolist() == [1, 0]
    assert edges["cause"].tolist() == ["protocol", "safe"]
    assert edges["frame_id"].iloc[0] == 0


def test_a_reaction_after_its_deadline_is_suppressed_and_counted(tmp_path: Path) -> None:
    protocol = {
        "type": "conditional",
        "when": "in_left",
        "do": {"laser": {"pulse_ms": 5}},
        "deadline_ms": 1e-6,
    }
    session = run_here(tmp_path, {"protocol": protocol})
    events = session.events
    rises = ((events["event"] == "rule") & (events["value"] == 1)).sum()
    assert (events["event"] == "late").sum() == rises > 0
    assert events.loc[events["event"] == "late", "late"].all()
    assert session.output_levels() == []
    assert session.json["counts"]["engine"]["late"] == rises


def test_it_may_ask_for_frames_and_write_rows_of_its_own(tmp_path: Path) -> None:
    body = (
        "    def on_pose(self, pose, outputs):\n"
        "        frame = self.session.frame()\n"
        "        if frame is not None:\n"
        "            shape, mean = list(frame.pixels.shape), float(frame.pixels.mean())\n"
        "            self.notes.append([frame.frame_id, shape, mean])\n"
        "        if pose.frame_id == 20:\n"
        "            self.session.note('lick', side='left', count=3)\n"
    )
    session = run_here(tmp_path, python_protocol(tmp_path, body))
    seen = notes(tmp_path)
    ids = [note[0] for note in seen]
    assert len(seen) > 10 and ids == sorted(set(ids))
    simulation = Simulation(size=(WIDTH, HEIGHT), rate_hz=200, exposure_us=1000)
    for frame_id, shape, mean in seen[:5]:
        assert shape == [HEIGHT, WIDTH]
        assert mean == pytest.approx(simulation.render(frame_id)[0].mean())
    (row,) = session.events[session.events["event"] == "user"].to_dict("records")
    assert (row["name"], row["side"], row["count"], row["frame_id"]) == ("lick", "left", 3, 20)
    assert session.frames["processed"].all() and session.frames["recorded"].all()


def test_frames_and_rows_belong_to_a_session() -> None:
    from fastpose import Protocol
    from fastpose.errors import FastposeError

    with pytest.raises(FastposeError, match="Protocol has no session yet; allowed: from on_start on"):
        _ = Protocol().session
