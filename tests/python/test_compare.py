"""The comparison with other tools: its arithmetic, tables and options; no tool and no time is judged."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from benches import table
from benches.compare import limit, operations, summary, training
from benches.compare.__main__ import _merged, _pythons, parse
from benches.compare.cases import CASES, NETWORKS, chosen
from benches.compare.child import Child, ToolError
from benches.compare.environments import BuildError, key_of, python_of, versions_of
from benches.compare.frames import Scene, frames_of
from benches.compare.report import compare_table, lines, lost
from benches.compare.rounds import Plan, _turned, block_size
from benches.compare.sides.main import forth_and_back
from benches.compare.sides.plain import decode, tensor
from benches.compare.systems import ENVIRONMENTS, SYSTEMS, Environment
from openvino import opset13 as ops

from fastpose.importing.reference import decode_heatmap
from fastpose.model_package import read_model_package

MS = 1_000_000


# --- summary ---


def test_percentiles_are_those_of_all_rounds_together() -> None:
    blocks = [[value * MS for value in range(51)], [value * MS for value in range(51, 101)]]
    found = summary.percentiles(blocks)
    expected = {"min_ms": 0.0, "p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 100.0, "fps": 20.0, "n": 101}
    assert found == expected


def test_ratio_is_of_medians_round_by_round() -> None:
    base, other = [[80, 80, 80], [90, 100, 400]], [[20, 20], [50, 50, 50, 50]]
    found = summary.ratio(base, other)
    assert found == {"median": 3.0, "min": 2.0, "max": 4.0, "rounds": 2, "of_fastest": 4.0}


def test_distance_leaves_missing_keypoints_out_and_counts_them() -> None:
    reference = np.zeros((1, 3, 3))
    poses = reference.copy()
    poses[0, 0, :2] = 3, 4
    poses[0, 2, 0] = np.nan
    found = summary.distance(poses, reference)
    assert (found["mean_px"], found["max_px"], found["keypoints"], found["missed"]) == (2.5, 5.0, 2, 1)
    assert summary.distance(poses[:, 2:], reference[:, 2:]) == {"keypoints": 0, "missed": 1}


# --- operations ---


def weights(*shape: int) -> Any:
    return ops.constant(np.zeros(shape, np.float32))


def test_multiply_adds_of_each_kind_are_those_counted_by_hand() -> None:
    x = ops.parameter([1, 3, 8, 6], np.float32)
    same = {"strides": [2, 2], "dilations": [1, 1]}
    a = ops.convolution(x, weights(4, 3, 3, 3), pads_begin=[1, 1], pads_end=[1, 1], **same)
    assert list(a.get_output_shape(0)) == [1, 4, 4, 3]
    conv = 4 * 4 * 3 * (3 * 3 * 3)
    b = ops.group_convolution(
        a, weights(4, 1, 1, 3, 3), strides=[1, 1], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1]
    )
    depthwise = 4 * 4 * 3 * (3 * 3)
    c = ops.convolution_backprop_data(b, weights(4, 2, 2, 2), strides=[2, 2])
    assert list(c.get_output_shape(0)) == [1, 2, 8, 6]
    transposed = 4 * 4 * 3 * (2 * 2 * 2)
    d = ops.matmul(ops.reshape(c, [16, 6], False), weights(5, 6), False, True)
    product = 16 * 5 * 6
    model = openvino.Model([ops.relu(d)], [x])
    assert operations.multiply_adds(model) == conv + depthwise + transposed + product


def test_multiply_adds_of_the_shipped_network_are_those_in_its_note() -> None:
    shape = operations.network_shape((640, 480), 1, 8)
    macs = operations.graph_macs(Path("models/openfield/model.onnx"), shape)
    assert f"{macs / 1e9:.2f} GMAC at 640x480" in Path("models/openfield/NOTE.md").read_text("utf-8")


def test_shape_of_the_network_is_rounded_up() -> None:
    assert operations.network_shape((658, 302), 3, 32) == (1, 3, 320, 672)


# --- limit ---


def test_least_time_is_operations_over_peak() -> None:
    assert limit.least_ms(8_200_000_000, 916) == pytest.approx(17.9, abs=0.01)


def test_of_several_instruction_sets_the_fastest_counts() -> None:
    found = limit._parsed("avx2 fp32 97.7\navx512 fp32 162.7\navx2 int8 161.5\n")
    assert found == {
        "fp32": {"gops": 162.7, "instructions": "avx512"},
        "int8": {"gops": 161.5, "instructions": "avx2"},
    }


def test_peak_is_the_higher_of_both_measurements() -> None:
    registers = {"fp32": {"gops": 100.0}, "int8": {"gops": 300.0}}
    found = {"registers": registers, "matrix_product": {"fp32": 110.0, "bf16": 50.0}}
    assert limit._best(found) == {"bf16": 50.0, "fp32": 110.0, "int8": 300.0}


def test_fraction_of_the_limit_is_that_of_the_precision_that_ran() -> None:
    peaks, macs = {"fp32": 100.0, "int8": 400.0}, {"frame": 1_000_000_000, "roi": 100_000_000}
    systems = {
        "deeplabcut-live": {"about": {"precision": "fp32"}, "network": {"p50_ms": 40.0}},
        "fastpose int8": {"about": {"precision": "int8"}, "network": {"p50_ms": 1.0}},
        "fastpose bf16": {"reason": "not here"},
    }
    found = limit.with_limits({"systems": systems}, macs, peaks)
    assert found["systems"]["deeplabcut-live"]["network"]["of_limit"] == 0.5
    assert found["systems"]["fastpose int8"]["network"]["of_limit"] == 0.5
    assert found["least_ms"]["frame"] == {"fp32": 20.0, "int8": 5.0}
    assert found["gmac"] == {"frame": 1.0, "roi": 0.1}


# --- cases, systems and options ---


def test_every_case_names_networks_and_systems_that_there_are() -> None:
    for case in CASES.values():
        assert case.network in NETWORKS
        assert set(case.systems) <= SYSTEMS.keys()
    for system in SYSTEMS.values():
        assert system.environment in ENVIRONMENTS
        assert (Path("benches/compare/sides") / f"{system.side}.py").exists()


def test_only_takes_words_of_names() -> None:
    assert [case.name for case in chosen("unet_658,openfield_1")] == [
        "unet_658x302",
        "openfield_192x192",
        "openfield_128x128",
    ]
    assert len(chosen("")) == len(CASES)
    with pytest.raises(ValueError, match="fits no case; there are: resnet50_gn_256x256"):
        chosen("unett")


def test_wrong_options_end_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--only", "nothing"], ["--python", "dlc=/x"]):
        with pytest.raises(SystemExit):
            parse(arguments)
    told = capsys.readouterr().err
    assert "--only 'nothing' fits no case" in told
    assert "--python 'dlc=/x'; allowed: NAME=PATH, NAME one of fastpose, deeplabcut-live" in told


def test_ready_environments_are_found_by_name(tmp_path: Path) -> None:
    python = tmp_path / "openvino" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    found = _pythons(tmp_path, ["deeplabcut=/opt/x/bin/python"])
    assert found == {"openvino": str(python), "deeplabcut": "/opt/x/bin/python"}


def test_another_version_is_another_environment() -> None:
    first, second = (Environment((("torch==2.13.0",),)), Environment((("torch==2.13.1",),)))
    assert key_of(first) != key_of(second)
    assert python_of("fastpose", {}, Path("/nowhere")) == sys.executable
    assert python_of("openvino", {"openvino": "/x"}, Path("/nowhere")) == "/x"


def test_what_pip_says_last_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (("--no-index", "no-such-distribution==1"),)
    monkeypatch.setitem(ENVIRONMENTS, "openvino", Environment(steps))
    with pytest.raises(BuildError, match=r"openvino cannot be built: .*no-such-distribution"):
        python_of("openvino", {}, tmp_path)


def test_versions_are_those_of_the_environment() -> None:
    found = versions_of(sys.executable, ("numpy", "no-such-distribution"))
    assert found["numpy"] == np.__version__
    assert found["no-such-distribution"] == "not installed"


# --- frames and training ---


def scene(points: Any) -> Scene:
    frames = np.zeros((2, 480, 640), np.uint8)
    frames[0, 100, 200] = frames[1, 400, 30] = 255
    return Scene("made", frames, points)


def test_points_lie_where_the_window_shows_them() -> None:
    animals = scene(np.array([[[200.0, 100.0]], [[30.0, 400.0]]]))
    for size, arena in (((64, 48), False), ((1280, 1024), True), ((640, 480), False)):
        frames, points = frames_of(animals, size, arena=arena)
        assert frames.shape == (2, size[1], size[0])
        assert points is not None
        for frame, (x, y) in zip(frames, points[:, 0].astype(int), strict=True):
            assert frame[y, x] == 255


def test_an_arena_continues_the_edges_of_the_recording() -> None:
    recording = Scene("made", np.full((1, 480, 640), 7, np.uint8), None)
    frames, points = frames_of(recording, (1280, 1024), arena=True)
    assert points is None
    assert (frames == 7).all()


def test_targets_are_what_the_decoder_turns_into_the_points() -> None:
    points = np.array([[[21.3, 40.9], [50.2, 11.7]]])
    heat, locref, near = training.targets(points, (8, 8), 8.0)
    poses, _ = decode_heatmap(heat, locref, stride=8.0, locref_stdev=7.2801, activation="none")
    np.testing.assert_allclose(poses[0, 0, :, :2], points[0], atol=1e-4)
    assert near[0, 0, 5, 2] == 1
    assert near[0, 0, 0, 7] == 0


def test_a_whole_arena_comes_every_so_many_steps() -> None:
    animals = scene(np.array([[[200.0, 100.0]], [[30.0, 400.0]]]))
    plan = training.Schedule(side=64, batch=2, arena=3)
    shapes = [training._batch(animals, plan, step)[0].shape for step in range(6)]
    assert shapes == [(2, 64, 64), (2, 64, 64), (1, 1024, 1280)] * 2
    plain = [training._batch(animals, replace(plan, arena=0), step)[0].shape for step in range(3)]
    assert plain == [(2, 64, 64), (2, 64, 64), (2, 64, 128)]


# --- sides ---


def test_frames_go_forth_and_back() -> None:
    order = forth_and_back(4)
    assert [next(order) for _ in range(8)] == [0, 1, 2, 3, 2, 1, 0, 1]


def test_plain_decode_is_the_oracle(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    maps = [random.normal(size=shape).astype(np.float32) for shape in ((1, 3, 5, 6), (1, 6, 5, 6))]
    for activation in ("none", "clip", "sigmoid"):
        mine = decode(maps, 8.0, 7.2801, activation)
        poses, _ = decode_heatmap(*maps, stride=8.0, locref_stdev=7.2801, activation=activation)
        np.testing.assert_allclose(mine, poses[0, 0], rtol=1e-5)


def test_plain_tensor_is_normalised_and_mirrored() -> None:
    frame = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    found = tensor(frame, [1.0, 2.0, 3.0], [0.5, 0.0, 0.0], 4, "rgb")
    assert found.shape == (1, 3, 4, 4)
    assert found[0, 0, 0, 0] == frame[0, 0, 2] + 0.5  # the frame is bgr
    assert found[0, 2, 1, 3] == 3 * frame[1, 1, 0]  # mirrored at the edge, which is not repeated


def test_our_side_answers_poses_times_and_errors(tmp_path: Path) -> None:
    frames = tmp_path / "frames.npy"
    np.save(frames, np.zeros((3, 96, 128), np.uint8))
    package = read_model_package(Path("models/openfield")).folder.resolve()
    asked = {"frames": str(frames), "package": str(package), "precision": "fp32"}
    with Child(sys.executable, "ours", tmp_path / "log") as child:
        assert "OpenVINO" in child.ask(open=asked)["about"]["runs"]
        poses = child.ask(poses=2)
        assert np.shape(poses) == (2, 4, 3)
        for what in ("pose", "network"):
            answer = child.ask(run=3, what=what)
            assert len(answer["ns"]) == 3 and min(answer["ns"]) > 0 and answer["cpu_ns"] > 0
        assert child.ask(memory=True)["peak_kb"] > 1000
        with pytest.raises(ToolError, match="ModelError"):
            child.ask(open={**asked, "package": str(tmp_path)})


def test_a_process_that_ends_is_an_error(tmp_path: Path) -> None:
    with (
        Child(sys.executable, "no_such_side", tmp_path / "log") as child,
        pytest.raises(ToolError, match=r"its process ended; .*log says why"),
    ):
        child.ask(open={})


def test_another_system_begins_each_round() -> None:
    rows: Any = ["a", "b", "c"]
    assert [_turned(rows, number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert sorted(_turned(rows, 2)) == rows


def test_blocks_are_longer_where_frames_are_fast_and_shorter_where_slow() -> None:
    plan = Plan(frames=8, seconds=0.3)
    assert [block_size(plan, ms * MS) for ms in (1, 100, 1000, 9000)] == [300, 8, 4, 2]


# --- report ---


def times(p50: float, **more: Any) -> dict[str, Any]:
    return {"p50_ms": p50, "p99_ms": 2 * p50, "max_ms": 3 * p50, "n": 64, "cpu_ms_per_frame": p50, **more}


def made_report() -> dict[str, Any]:
    ratio = {"median": 5.0, "min": 4.0, "max": 6.0, "rounds": 8, "of_fastest": 5.0}
    systems = {
        "deeplabcut-live": {"pose": times(100.0), "network": times(90.0), "peak_memory_mb": 500},
        "onnxruntime": {"pose": times(18.0), "peak_memory_mb": 100},
        "openvino": {"network": times(30.0), "peak_memory_mb": 100},
        "fastpose fp32": {
            "pose": times(20.0, times_faster=ratio),
            "network": times(19.0, of_limit=0.5, limit="fp32"),
            "peak_memory_mb": 150,
            "distance": {"mean_px": 0.012, "p95_px": 0.02, "max_px": 0.1, "keypoints": 64, "missed": 0},
        },
        "fastpose int8": {"reason": "the package has no int8 form"},
    }
    result = {
        **{"case": "unet_256x256", "title": "U-Net-like, 256x256", "network": "unet", "size": [256, 256]},
        **{"roi": None, "base": "deeplabcut-live", "systems": systems},
        **{"gmac": {"frame": 0.75}, "least_ms": {"frame": {"fp32": 9.5, "int8": 2.4}}},
    }
    machine = {"cpu": "CPU", "cores": 2, "isa": "avx2", "system": "Linux", "python": "3.11"}
    return {
        "machine": {**machine, "load_average_1min": 0.1, "date": "2026-11-21"},
        "settings": {"cores": 2, "rounds": 8},
        "versions": {"openvino": {"openvino": "1"}},
        "peaks_gops": {"best": {"fp32": 200.0, "int8": 800.0}},
        "results": [result],
    }


def test_table_has_times_ratio_distance_and_limit() -> None:
    text = compare_table(made_report())
    (row,) = [line for line in text.splitlines() if line.startswith("| U-Net")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        *("U-Net-like, 256x256", "100 / 200", "", "18 / 36", "30 / 60 \\*", "20 / 40", "", ""),
        *("5.0 (4.0-6.0)", "", "", "", "9.5", "", "2.4", "50%", ""),
    ]
    assert "int8: the package has no int8 form." in text
    assert "fp32 200, int8 800 GOP/s" in text


def test_losses_are_said() -> None:
    report = made_report()
    told = "U-Net-like, 256x256: ONNX Runtime 18 ms, fastpose fp32 20 ms"
    assert lost(report) == f"fastpose is slower here:\n{told}"
    report["results"][0]["systems"].pop("onnxruntime")
    assert lost(report) == "fastpose is slower nowhere."


def test_terminal_lines_say_why_a_system_is_missing() -> None:
    told = lines(made_report()["results"][0])
    assert told[0] == "U-Net-like, 256x256: frame 0.75 GMAC, at least 9.5 fp32, 2.4 int8 ms"
    assert told[-1].split("--")[1].strip() == "the package has no int8 form"


def test_readme_table_is_written_between_its_markers(tmp_path: Path) -> None:
    (tmp_path / "compare.json").write_text(json.dumps(made_report()), "utf-8")
    text = table.with_tables("a\n<!-- bench:compare -->\nold\n<!-- /bench -->\nb", tmp_path)
    assert "| U-Net-like, 256x256 |" in text
    assert "old" not in text


def test_cases_that_were_not_run_again_stay_with_their_day() -> None:
    old, new = made_report(), made_report()
    old["machine"]["date"] = "2026-11-01"
    new["results"][0] = {**new["results"][0], "case": "other"}
    merged = _merged(old, new)
    assert [result["case"] for result in merged["results"]] == ["unet_256x256", "other"]
    assert merged["results"][0]["measured"] == "2026-11-01"


def test_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason='needs matplotlib: pip install "fastpose-rig[dev]"')
    from benches.compare.plot import draw

    draw(made_report(), tmp_path / "compare.png")
    assert (tmp_path / "compare.png").read_bytes().startswith(b"\x89PNG")
