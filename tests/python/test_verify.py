"""Parity with the source tool: measured, written, and in the way of arming where it is not there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openvino
import pytest

import quantised_package as made
from fastpose.arming import parity_doubt, parity_problem, require_parity
from fastpose.config.model import package_folder
from fastpose.cpu import this_cpu
from fastpose.errors import DeviceError, ModelError
from fastpose.model import load_model
from fastpose.model_package import read_model_package
from fastpose.parity import Budget, read_parity
from fastpose.verify import compare, verify

NO_TIES = np.zeros((1, 1, 3), bool)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The simulated mouse's package, writable."""
    shutil.copytree(package_folder("builtin:simulated_mouse"), tmp_path / "mouse")
    (tmp_path / "mouse" / "parity.json").unlink()
    return tmp_path / "mouse"


def spoil(package: Path, px: float) -> None:
    """Shift the reference."""
    with np.load(package / "reference.npz") as arrays:
        content = {name: arrays[name] for name in arrays.files}
    content["keypoints"][..., 0] += px
    np.savez(package / "reference.npz", **content)


def poses(*points: tuple[float, float, float]) -> Any:
    return np.array([[points]], np.float32)


def test_what_is_compared() -> None:
    reference = poses((10, 10, 0.9), (20, 20, 0.9), (30, 30, 0.05))
    found = poses((13, 14, 0.8), (20, 20, 0.9), (99, 99, 0.05))
    cell = compare(found, reference, NO_TIES)
    assert (cell["max_px"], cell["mean_px"]) == (5, 2.5)
    assert cell["max_likelihood"] == pytest.approx(0.1, abs=1e-3)
    assert (cell["keypoints"], cell["ties"], cell["missed"]) == (2, 0, 0)


def test_ties_are_counted_and_left_out() -> None:
    reference = poses((10, 10, 0.9), (20, 20, 0.9), (30, 30, 0.9))
    found = poses((90, 90, 0.9), (20, 20, 0.9), (30, 30, 0.9))
    cell = compare(found, reference, np.array([[[True, False, False]]]))
    assert (cell["max_px"], cell["keypoints"], cell["ties"]) == (0, 2, 1)


def test_where_no_keypoint_is_likely_all_are_compared() -> None:
    reference, found = poses((10, 10, 0.05)), poses((13, 14, 0.05))
    cell = compare(found, reference, NO_TIES[..., :1])
    assert (cell["max_px"], cell["min_likelihood"], cell["keypoints"]) == (5, 0.0, 1)


def test_keypoints_that_one_side_lacks_are_missed() -> None:
    nan = float("nan")
    reference = poses((10, 10, 0.9), (nan, nan, nan), (nan, nan, nan))
    found = poses((nan, nan, 0), (20, 20, 0.9), (nan, nan, 0))
    cell = compare(found, reference, NO_TIES)
    assert (cell["missed"], cell["keypoints"]) == (2, 0)
    assert Budget().exceeded(cell) == "2 keypoints are found on one side only"


def test_individuals_are_compared_in_any_order() -> None:
    reference = np.zeros((1, 3, 2, 3), np.float32)
    reference[0, :, :, :2] = np.array([10, 50, 90])[:, None, None]
    reference[..., 2] = 0.9
    reference[0, 2] = np.nan
    found = reference[:, [2, 1, 0]]
    cell = compare(found, reference, np.zeros((1, 3, 2), bool))
    assert (cell["max_px"], cell["keypoints"], cell["missed"]) == (0, 4, 0)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ({"mean_px": 0.5, "max_px": 2.0}, ""),
        ({"mean_px": 0.6, "max_px": 1.0}, "mean_px 0.6 is over the budget of 0.5 px"),
        ({"mean_px": 0.1, "max_px": 3.0}, "max_px 3 is over the budget of 2 px"),
        ({"mean_px": float("nan"), "max_px": 0.0}, "mean_px nan is over the budget of 0.5 px"),
        ({}, "mean_px is not known"),
    ],
)
def test_the_budget(cell: dict[str, Any], text: str) -> None:
    assert Budget().exceeded(cell) == text


def test_it_writes_parity(package: Path) -> None:
    report = verify(package)
    content = json.loads((package / "parity.json").read_text())
    assert report.problem == ""
    assert content["cpu"]["fp32"] == report.cells["cpu", "fp32"]
    assert content["cpu"]["fp32"]["max_px"] < 0.02
    assert content["budget_px"] == {"mean_px": 0.5, "max_px": 2.0}
    assert content["sha256"] == read_model_package(package).sha256
    require_parity(read_model_package(package))


def test_an_int8_form_is_compared_too(package: Path) -> None:
    made.add_int8(package)
    report = verify(package)
    assert 0 < report.cells["cpu", "int8"]["mean_px"] < 0.5
    assert report.cells["cpu", "fp32"]["mean_px"] < 0.02
    assert json.loads((package / "parity.json").read_text())["cpu"]["int8"] == report.cells["cpu", "int8"]


def test_a_package_without_an_int8_form_is_not_asked_for_it(package: Path) -> None:
    assert ("cpu", "int8") not in verify(package).cells
    with pytest.raises(ModelError, match="has no int8 form; make it with: fastpose optimize"):
        verify(package, precisions=["int8"])


def granted(precision: str) -> tuple[str, set[str]]:
    """What OpenVINO computes in when asked for a precision: the model's, and those of its convolutions."""
    core = openvino.Core()
    network = core.read_model(package_folder("builtin:simulated_mouse") / "model.onnx")
    network.reshape([1, 1, 64, 64])
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    nodes = compiled.get_runtime_model().get_ops()
    details = [{name: str(value.astype(str)) for name, value in node.get_rt_info().items()} for node in nodes]
    kinds = {each["runtimePrecision"] for each in details if each["layerType"] == "Convolution"}
    return compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(), kinds


@pytest.mark.skipif(this_cpu().has_bf16, reason="this CPU has bf16 itself")
def test_bf16_is_measured_where_the_runtime_emulates_it_and_runs_nowhere_else(package: Path) -> None:
    lacking = "precision bf16: this CPU has no bf16 instructions"
    with pytest.raises(DeviceError, match=lacking):
        load_model(package, precision="bf16").estimate(np.zeros((64, 64), np.uint8))
    runs_in, convolutions = granted("bf16")
    if runs_in != "bf16":
        assert lacking in verify(package).cells["cpu", "bf16"]["not_run"]
        with pytest.raises(DeviceError, match=lacking):
            verify(package, precisions=["bf16"])
        return
    assert convolutions == {"bf16"}
    cell = verify(package, precisions=["bf16"]).cells["cpu", "bf16"]
    assert cell["emulated"] is True and cell["missed"] == 0
    assert 0 < cell["mean_px"] <= 0.2
    assert json.loads((package / "parity.json").read_text())["cpu"]["bf16"] == cell


def test_over_its_budget_it_does_not_arm(package: Path) -> None:
    spoil(package, 3.0)
    report = verify(package, precisions=["fp32"])
    assert report.problem == "mean_px 3 is over the budget of 0.5 px"
    with pytest.raises(ModelError, match=r"\(cpu fp32: mean_px 3 is over .*say accept_parity: true"):
        require_parity(read_model_package(package))
    verify(package, precisions=["fp32"], budget=Budget(4, 8))
    require_parity(read_model_package(package))


def test_without_parity_it_arms_with_a_doubt(package: Path) -> None:
    read = read_model_package(package)
    assert parity_problem(read) == ""
    assert "parity was never measured, there is no parity.json; run: fastpose verify" in parity_doubt(
        read, "cpu", "auto"
    )
    verify(package, precisions=["fp32"])
    assert parity_doubt(read, "cpu", "auto") == ""
    assert parity_doubt(read, "cpu", "bf16").startswith("simulated_mouse: parity: no numbers for cpu bf16")


def test_parity_of_another_network_is_none(package: Path) -> None:
    spoil(package, 3.0)
    verify(package, precisions=["fp32"])
    content = json.loads((package / "parity.json").read_text())
    content["sha256"]["model.onnx"] = "0" * 64
    (package / "parity.json").write_text(json.dumps(content))
    read = read_model_package(package)
    assert parity_problem(read) == ""
    assert "parity.json is of another network" in parity_doubt(read, "cpu", "auto")


def test_what_was_measured_elsewhere_stays(package: Path) -> None:
    sha256 = read_model_package(package).sha256
    before = {"reference": "x", "sha256": sha256, "cpu": {"bf16": {"mean_px": 0.1, "max_px": 0.2}}}
    (package / "parity.json").write_text(json.dumps(before))
    verify(package, precisions=["fp32"])
    content = json.loads((package / "parity.json").read_text())
    assert content["cpu"]["bf16"] == {"mean_px": 0.1, "max_px": 0.2}
    assert "fp32" in content["cpu"]


def test_devices_and_precisions_that_are_not_there(package: Path) -> None:
    with pytest.raises(DeviceError, match="device is 'tpu'; allowed: cpu, cuda"):
        verify(package, device="tpu")
    with pytest.raises(DeviceError, match="precision is 'fp8'; allowed on cpu: fp32, bf16, int8"):
        verify(package, precisions=["fp8"])


def test_damaged_references_and_reports(package: Path) -> None:
    (package / "parity.json").write_text("{")
    with pytest.raises(ModelError, match=r"parity.json cannot be read .*make it again with: fastpose verify"):
        read_parity(package)
    np.savez(package / "reference.npz", frames=np.zeros((1, 8, 8), np.uint8), poses=np.zeros((1, 1, 2, 3)))
    with pytest.raises(ModelError, match=r"have shape \[1, 1, 2, 3\], the package needs \[1, 1, "):
        verify(package)
    (package / "reference.npz").write_bytes(b"no archive")
    with pytest.raises(ModelError, match=r"reference.npz cannot be read"):
        verify(package)
    np.savez(package / "reference.npz", frames=np.array([object()]))
    with pytest.raises(ModelError, match=r"reference.npz cannot be read"):
        verify(package)


def test_a_rig_refuses_it_unless_the_config_accepts_it(package: Path) -> None:
    from fastpose.assembly.networks import open_networks
    from fastpose.config import Config

    spoil(package, 3.0)
    verify(package, precisions=["fp32"])
    camera: Any = SimpleNamespace(name="top", frame_size=(64, 64), pixel_format="mono8")
    model = {"path": str(package), "device": "fake"}
    config = {
        "session": {"subject": "m"},
        "cameras": {"top": {"driver": "sim"}},
        "protocol": {"type": "none"},
    }
    with pytest.raises(ModelError, match="its poses are not those of the tool it came from"):
        open_networks(Config.model_validate({**config, "model": model}), [camera])
    accepted = Config.model_validate({**config, "model": {**model, "accept_parity": True}})
    assert open_networks(accepted, [camera]).first is not None
