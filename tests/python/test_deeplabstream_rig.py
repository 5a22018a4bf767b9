"""What went wrong in DeepLabStream around its experiments, and cannot here; where each fault has its test.

The numbers are those of the project's notes on other systems, 4.1.

| # | fault | test |
|---|---|---|
| 1-5, 7, 8, 11 | experiments and their times | test_deeplabstream_faults |
| 6 | a device handle for each edge | here; NI: test_outputs_lines::test_nidaq_keeps_its_task_open |
| 6 | a toggle that is always ON | here: a level is written, never "the other one" |
| 6 | no acknowledge | test_outputs_session::test_firmware_confirms_each_edge_on_the_clock_of_the_host |
| 6 | drivers that are not there | test_outputs_lines::test_what_is_not_installed_names_its_extra |
| 9 | a frame of extra delay, one thread for all | here |
| 10 | frames pickled through pipes | here; test_hosts_pylon::test_pylon_writes_into_the_slots_themselves |
| 12 | data in memory until the end | test_system_signals::test_kill_9_costs_the_last_second_at_most |
| 13 | BGR to an RGB network | test_model: formats give one pose; test_preprocess::test_colour_equals_opencv |
| 13 | text burnt into the frame | test_system_recorder::test_ffv1_holds_the_pixels_of_the_camera |
| 14 | a classifier pool that jams | here; its answers: test_classifier_rule |
| 15 | BrokenPipe at the stop, processes left | here; after kill -9: test_system_examples |
| 15 | memory of the GPU is not given back | no test: the driver frees what a process held when it ends |
| 16 | behind a missing animal one is skipped | here; rows: test_identity, test_system_animals |
| 17 | old pins, hard to install | here; CI installs the wheel into fresh environments |
| 17 | no tests at all | this suite |
"""

from __future__ import annotations

import importlib.metadata
import signal
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import core_rules
from fastpose import _core
from fastpose.config import config_from
from fastpose.testing import simulated_poses, try_protocol
from make_videos import make_video
from rigs import ENDLESS, Process, Session, run_here, serial_laser, shared_memory_of, video_camera, write_rig
from terminal import Terminal

ROOT = Path(__file__).parents[2]


class TestDeviceLayer:
    """4.1 #6: a new task for each edge, a toggle of a new device each time, no word from the device."""

    def test_one_open_handle_makes_all_edges(self, tmp_path: Path, terminal: Terminal) -> None:
        changes = {**ENDLESS, "outputs.laser": serial_laser(terminal.path), "record.video": None}
        with Process(write_rig(tmp_path, changes)) as process:
            process.wait_for_frames(20)
            terminal.wait_for(b"H")
            before = handles_of(process.pid, terminal.path)
            reactions = terminal.received.count(b"H")
            while terminal.received.count(b"H") < reactions + 5:
                terminal.read(60.0)
                assert handles_of(process.pid, terminal.path) == before
            process.signal(signal.SIGINT)
            process.end()
        assert len(before) == 1

    def test_each_reaction_is_a_rise_and_a_fall(self, tmp_path: Path, terminal: Terminal) -> None:
        session = run_here(tmp_path, {"outputs.laser": serial_laser(terminal.path)})
        assert terminal.level == b"L"
        edges = terminal.received.lstrip(b"L")
        levels = [byte == ord("H") for byte in edges]
        changes = [levels[0], *(after for before, after in pairwise(levels) if after != before)]
        assert changes == [bool(level) for level in session.output_levels()]
        assert sum(changes) >= 2


def handles_of(pid: int, path: str) -> set[str]:
    """The descriptors of a process that are this device."""
    folder, found = Path(f"/proc/{pid}/fd"), set()
    for descriptor in folder.iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:  # it was closed meanwhile
            continue
        if target == path:
            found.add(descriptor.name)
    return found


class TestAFrameOfDelay:
    """4.1 #9: a result was looked at when the next frame came; with the last one it never was."""

    def test_a_frame_is_decided_before_the_next_one_is_taken(self, tmp_path: Path) -> None:
        frames = run_here(tmp_path).frames
        assert (frames["decided_ns"].to_numpy()[:-1] <= frames["dequeued_ns"].to_numpy()[1:]).all()

    def test_the_reaction_is_to_the_frame_itself_and_the_last_one_counts(self, tmp_path: Path) -> None:
        first = run_here(folder(tmp_path, "first")).events
        rises = first[(first["event"] == "output") & (first["cause"] == "protocol") & (first["value"] == 1)]
        inside = first[(first["event"] == "rule") & (first["value"] == 1)]
        assert rises["frame_id"].tolist() == inside["frame_id"].tolist()
        last = int(rises["frame_id"].iloc[1])
        session = run_here(folder(tmp_path, "last"), {"cameras.top.frames_total": last + 1})
        events = session.events
        assert last in events[(events["event"] == "output") & (events["value"] == 1)]["frame_id"].tolist()

    def test_encoding_is_another_process_and_deciding_another_thread(self, tmp_path: Path) -> None:
        with Process(write_rig(tmp_path, ENDLESS)) as process:
            process.wait_for_frames(20)
            assert process.host("encoder").pid != process.pid
            tasks = Path(f"/proc/{process.pid}/task")
            names = {(task / "comm").read_text().strip() for task in tasks.iterdir()}
            assert {"fp-writer", "fp-timer"} <= names
            assert len(names) >= 4  # the grabber and the loop, too
            process.signal(signal.SIGINT)
            process.end()


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def test_no_pixel_goes_through_a_pipe(tmp_path: Path) -> None:
    """4.1 #10: each frame was pickled through a pipe, twice. Here the encoder sees the ring's own memory."""
    size = (640, 480)
    changes = {**ENDLESS, "cameras.top.size": list(size), "cameras.top.rate_hz": 60}
    changes["record.video"] = {"codec": "libx264", "preset": "ultrafast"}
    with Process(write_rig(tmp_path, changes)) as process:
        session = process.wait_for_frames(10)
        encoder = process.host("encoder")
        before, first = read_bytes(encoder), frames_in(session)
        process.wait_for_frames(first + 100)
        passed, read = frames_in(session) - first, read_bytes(encoder) - before
        process.signal(signal.SIGINT)
        process.end()
    assert passed >= 100
    assert read < 0.05 * passed * size[0] * size[1]


def read_bytes(process: psutil.Process) -> int:
    """All that a process ever read from files, pipes and sockets."""
    counters: Any = process.io_counters()
    return int(counters.read_chars)


def frames_in(session: Path) -> int:
    return (session / "log" / "frames_top.fplog").stat().st_size // 128


class TestClassifierPool:
    """4.1 #14: a window passed before its result was fetched left a process marked as running for ever."""

    def test_a_classifier_answers_again_after_frames_without_a_pose(self) -> None:
        pytest.importorskip("onnx", reason="onnx is not installed (extra 'classify')")
        config = classified()
        poses = simulated_poses(config, seconds=20, noise_px=0.5)
        whole = try_protocol(config, poses=poses).rule("lingers")
        poses.record.raw[300:330] = np.nan  # nobody is seen for 0.3 s
        gap = try_protocol(config, poses=poses).rule("lingers")
        after_s = 3.3 + 1.0  # and the window is full again
        assert [edge for edge in whole if edge.time_s > after_s]
        assert [edge for edge in gap if edge.time_s > after_s] == [e for e in whole if e.time_s > after_s]

    def test_it_is_part_of_the_loop_and_has_no_process(self, tmp_path: Path) -> None:
        pytest.importorskip("onnx", reason="onnx is not installed (extra 'classify')")
        content = classified().model_dump(mode="json")
        rules = {"lingers": content["rules"]["lingers"]}
        changes = {
            **ENDLESS,
            "rules": rules,
            "protocol": {"type": "none"},
            "record.video": None,
            "outputs": {},
        }
        with Process(write_rig(tmp_path, changes)) as process:
            process.wait_for_frames(20)
            assert psutil.Process(process.pid).children(recursive=True) == []
            process.signal(signal.SIGINT)
            assert process.end().code == 0


def classified() -> Any:
    """The simulated mouse, and the forest of examples/classifier.yaml."""
    features = [
        {"speed": "snout"},
        {"speed": "tailbase"},
        {"distance": ["snout", "tailbase"]},
        {"egocentric": ["tailbase", "snout", "leftear", "rightear"]},
    ]
    lingers = {
        **{"type": "classifier", "model": str(ROOT / "examples" / "lingers.onnx"), "features": features},
        **{"window_frames": 15, "window": "mean_std", "above": 0.5, "budget_ms": 1000},
    }
    return config_from(
        {
            "session": {"subject": "m"},
            "cameras": {"top": {"driver": "sim", "size": [640, 480], "rate_hz": 100, "seed": 9}},
            "model": {"path": "builtin:simulated_mouse"},
            "rules": {"lingers": lingers},
            "outputs": {"light": {"driver": "sim", "max_on_ms": 1000}},
            "protocol": {"type": "conditional", "when": "lingers", "do": {"light": {"pulse_ms": 10}}},
        },
        base=Path.cwd(),
    )


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM], ids=["end", "SIGINT", "SIGTERM"])
def test_a_stop_is_clean(tmp_path: Path, terminal: Terminal, number: signal.Signals | None) -> None:
    """4.1 #15: BrokenPipe at the stop, and `killall -9 python` as the remedy."""
    video = make_video(tmp_path / "v.mkv", frames=60, width=160, height=120)
    changes = {
        "cameras.top": video_camera(video, loop=number is not None),
        "outputs.laser": serial_laser(terminal.path),
    }
    with Process(write_rig(tmp_path, changes)) as process:
        process.wait_for_frames(10)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3  # of the video, the encoder, the guardian
        if number is not None:
            process.signal(number)
        ended = process.end()
        psutil.wait_procs(children, timeout=60)
        assert [child for child in children if child.is_running()] == []
        assert shared_memory_of(process.pid) == []
    assert ended.code == 0
    assert [line.split(":")[1].strip() for line in ended.stderr] == ["running", "ended"]
    (left,) = (tmp_path / "sessions").iterdir()
    said = "".join(path.read_text(errors="replace") for path in (left / "log").glob("*.txt"))
    for complaint in ("BrokenPipe", "Broken pipe", "Traceback"):
        assert complaint not in said + Session(left).log_text + "".join(ended.stderr)


class TestAMissingAnimal:
    """4.1 #16: items were removed from the list that was gone through: the animal behind was passed over."""

    @pytest.mark.parametrize("missing", [(), (0,), (1,), (0, 1)])
    def test_a_rule_for_any_still_asks_the_others(self, missing: tuple[int, ...]) -> None:
        pose = np.full((3, 1, 3), 0.9, np.float32)
        pose[:, 0, :2] = [[300, 300], [300, 300], [50, 50]]
        pose[list(missing)] = np.nan
        zone = _core.circle_zone(center=(50, 50), radius_px=20)
        rule = core_rules.in_zone_rule((3, 1), zone=zone, bodyparts=[0])
        assert rule.update(pose, 0)
        pose[2] = np.nan
        assert not core_rules.in_zone_rule((3, 1), zone=zone, bodyparts=[0]).update(pose, 0)


class TestItInstallsToday:
    """4.1 #17: pins of 2020; nobody could install it any more."""

    def test_this_python_is_allowed_and_nothing_caps_it(self) -> None:
        requirements = pytest.importorskip("packaging.specifiers")
        asked = requirements.SpecifierSet(project()["requires-python"])
        assert f"{sys.version_info.major}.{sys.version_info.minor}" in asked
        assert "3.99" in asked

    def test_what_it_asks_for_is_what_is_installed(self) -> None:
        requirements = pytest.importorskip("packaging.requirements")
        for line in project()["dependencies"]:
            asked = requirements.Requirement(line)
            if asked.marker is None or asked.marker.evaluate():
                assert importlib.metadata.version(asked.name) in asked.specifier, line

    def test_only_the_runtime_that_is_linked_has_one_version(self) -> None:
        requirements = pytest.importorskip("packaging.requirements")
        asked = [requirements.Requirement(line) for line in project()["dependencies"]]
        pinned = [each.name for each in asked if any(one.operator == "==" for one in each.specifier)]
        assert pinned == ["openvino"]


def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content
