"""Which form of a network runs: as optimized.json and tuned.json say, and never one that was changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quantised_package as made
from fastpose import load_model
from fastpose.arming import parity_problem, require_parity
from fastpose.cpu import Cpu, this_cpu
from fastpose.errors import DeviceError, ModelError
from fastpose.form_files import Tuned, read_tuned, write_tuned
from fastpose.model_forms import Form, form_of, forms_of, plan_of
from fastpose.model_package import read_model_package

VNNI = Cpu("a processor", 2, frozenset({"avx512_vnni"}), "OpenVINO 1")
BF16 = replace(VNNI, name="another processor", flags=frozenset({"avx512_vnni", "avx512_bf16"}))
PLAIN = replace(VNNI, flags=frozenset({"avx2"}))
SHAPE = (1, 1, 64, 96)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return made.copy_of_mouse(tmp_path / "mouse")


@pytest.fixture
def with_int8(package: Path) -> Path:
    """An int8 form that nobody runs: its files are text."""
    for name in ("model_int8.xml", "model_int8.bin"):
        (package / name).write_text(name)
    made.describe(package, "int8", "model_int8")
    return package


def add_fp32(package: Path, **changes: Any) -> None:
    for name in ("model_fp32.xml", "model_fp32.bin"):
        (package / name).write_text(name)
    made.describe(package, "fp32", "model_fp32", **{"mean_px": 0.001, **changes})


def form(package: Path, precision: str, cpu: Cpu = VNNI, shape: Any = None) -> Form:
    return form_of(read_model_package(package), precision, cpu, shape)


def tune(package: Path, cpu: Cpu, times_ms: dict[str, float], **changes: Any) -> None:
    entry = {"threads": 2, "pinned": True, "p99_ms": 99.0, "n": 10, **changes}
    measured = {key: {"1x1x64x96": Tuned(p50_ms=ms, **entry)} for key, ms in times_ms.items()}
    write_tuned(package, cpu.key, measured)


# --- what runs ---


@pytest.mark.parametrize(
    ("cpu", "key", "asked"),
    [(VNNI, "int8/int8", "int8"), (BF16, "int8/int8", "int8"), (PLAIN, "onnx/fp32", "auto")],
)
def test_auto_takes_int8_where_the_cpu_multiplies_it(with_int8: Path, cpu: Cpu, key: str, asked: str) -> None:
    found = form(with_int8, "auto", cpu)
    assert (found.key, found.asked) == (key, asked)


@pytest.mark.parametrize(("cpu", "key"), [(VNNI, "onnx/fp32"), (BF16, "onnx/bf16")])
def test_without_other_forms_the_runtime_chooses_the_floats(package: Path, cpu: Cpu, key: str) -> None:
    found = form(package, "auto", cpu)
    assert (found.key, found.asked, found.file.name) == (key, "auto", "model.onnx")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_by_name_is_asked_of_the_runtime(with_int8: Path, precision: str) -> None:
    found = form(with_int8, precision, PLAIN)
    assert (found.precision, found.asked, found.file.name) == (precision, precision, "model.onnx")


def test_a_rewritten_graph_comes_before_the_package_s_own(package: Path) -> None:
    add_fp32(package)
    assert form(package, "fp32").file.name == "model_fp32.xml"
    assert form(package, "bf16").key == "fp32/bf16"
    assert form(package, "auto").file.name == "model_fp32.xml"


def test_a_rewritten_graph_over_its_budget_gives_way_to_the_package_s_own(package: Path) -> None:
    add_fp32(package, mean_px=0.6)
    assert form(package, "fp32").file.name == "model.onnx"


def test_what_was_measured_decides(with_int8: Path) -> None:
    tune(with_int8, VNNI, {"int8/int8": 5.0, "onnx/fp32": 3.0}, threads=1)
    found = form(with_int8, "auto", VNNI, SHAPE)
    assert (found.key, found.asked) == ("onnx/fp32", "fp32")
    assert found.tuned is not None and found.tuned.threads == 1


@pytest.mark.parametrize(
    ("cpu", "shape"),
    [(VNNI, (1, 1, 64, 64)), (replace(VNNI, cores=4), SHAPE), (replace(VNNI, runtime="OpenVINO 2"), SHAPE)],
    ids=["another size", "another number of cores", "another runtime"],
)
def test_measurements_of_something_else_do_not(with_int8: Path, cpu: Cpu, shape: Any) -> None:
    tune(with_int8, VNNI, {"int8/int8": 5.0, "onnx/fp32": 3.0})
    found = form(with_int8, "auto", cpu, shape)
    assert (found.key, found.tuned) == ("int8/int8", None)


def test_measurements_of_some_forms_do_not_decide_between_all(with_int8: Path) -> None:
    tune(with_int8, VNNI, {"onnx/fp32": 3.0})
    assert form(with_int8, "auto", VNNI, SHAPE).key == "int8/int8"


def test_measurements_of_a_file_that_was_made_again_are_forgotten(with_int8: Path) -> None:
    tune(with_int8, VNNI, {"int8/int8": 5.0, "onnx/fp32": 3.0}, sha256="0" * 64)
    assert form(with_int8, "auto", VNNI, SHAPE).key == "int8/int8"


def test_threads_are_those_that_were_measured(with_int8: Path) -> None:
    package = read_model_package(with_int8)
    tune(with_int8, VNNI, {"int8/int8": 5.0}, threads=1, pinned=False)
    plan = plan_of(package, "int8", 0, VNNI, SHAPE)
    assert (plan.threads, plan.pinned, plan.threads_by) == (1, False, "tuned.json")
    assert plan.text == "int8 (0.21 px from fp32), 1 thread, not pinned (tuned.json)"
    asked = plan_of(package, "int8", 2, VNNI, SHAPE)
    assert (asked.threads, asked.pinned, asked.threads_by) == (2, None, "config")
    untuned = plan_of(package, "int8", 0, VNNI)
    assert untuned.text == "int8 (0.21 px from fp32), threads as the runtime chooses"


def test_bf16_is_a_form_only_where_the_cpu_has_it(with_int8: Path) -> None:
    package = read_model_package(with_int8)
    assert [each.key for each in forms_of(package, VNNI)] == ["int8/int8", "onnx/fp32"]
    assert [each.key for each in forms_of(package, BF16)] == ["int8/int8", "onnx/bf16", "onnx/fp32"]


# --- what is refused ---


def test_int8_without_the_form_names_the_way_out(package: Path) -> None:
    with pytest.raises(ModelError, match=r"has no int8 form; make it with: fastpose optimize .*mouse"):
        form(package, "int8")


def test_an_unknown_precision(package: Path) -> None:
    with pytest.raises(DeviceError, match=r"'int4'; allowed on cpu: auto, fp32, bf16, int8"):
        form(package, "int4")


@pytest.mark.parametrize("precision", ["auto", "int8"])
def test_a_form_of_another_network_is_refused_by_name(with_int8: Path, precision: str) -> None:
    made.describe(with_int8, "int8", "model_int8", source_sha256="0" * 64)
    with pytest.raises(ModelError, match=r"form int8 .* made from another model.onnx .* fastpose optimize"):
        form(with_int8, precision)
    assert form(with_int8, "fp32").file.name == "model.onnx"


@pytest.mark.parametrize("name", ["model_int8.xml", "model_int8.bin"])
def test_a_form_that_was_changed_is_refused(with_int8: Path, name: str) -> None:
    (with_int8 / name).write_text("something else")
    with pytest.raises(ModelError, match=rf"{name} has sha256 .* fastpose optimize"):
        form(with_int8, "int8")
    (with_int8 / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}' cannot be read .* fastpose optimize"):
        form(with_int8, "auto")


def test_files_without_a_hash_are_refused(with_int8: Path) -> None:
    hashes = {"model_int8.xml": made.digest(with_int8 / "model_int8.xml")}
    made.describe(with_int8, "int8", "model_int8", sha256=hashes)
    with pytest.raises(ModelError, match=r"optimized.json holds no sha256 of model_int8.bin"):
        form(with_int8, "int8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "Expecting property name"),
        ('{"schema": 2}', "schema"),
        ('{"schema": 1, "forms": {"int8": {"file": "../elsewhere.xml"}}}', "forms.int8"),
        ("[]", "a mapping with schema, forms"),
    ],
)
def test_a_damaged_optimized_json(package: Path, content: str, said: str) -> None:
    (package / "optimized.json").write_text(content)
    with pytest.raises(ModelError, match=rf"optimized.json cannot be read .*{said}.*fastpose optimize"):
        form(package, "auto")


def test_a_damaged_tuned_json(package: Path) -> None:
    (package / "tuned.json").write_text('{"schema": 1, "machines": {"m": {"onnx/fp32": {"1x1x8x8": {}}}}}')
    with pytest.raises(ModelError, match=r"tuned.json cannot be read .* fastpose tune"):
        form(package, "auto")


# --- budgets ---


@pytest.mark.parametrize("mean_px", [0.51, float("nan"), None])
def test_a_form_over_its_budget_runs_only_where_that_is_accepted(with_int8: Path, mean_px: Any) -> None:
    made.describe(with_int8, "int8", "model_int8", mean_px=mean_px)
    package = read_model_package(with_int8)
    assert form_of(package, "auto", VNNI).key == "onnx/fp32"
    assert form_of(package, "int8", VNNI).key == "int8/int8"
    with pytest.raises(
        ModelError, match=r"form int8 .*(over the budget of 0.5 px|never measured).*accept_par"
    ):
        require_parity(package, "int8")
    require_parity(package, "auto")
    require_parity(package, "fp32")


def test_a_form_within_its_budget_may_be_armed(with_int8: Path) -> None:
    assert parity_problem(read_model_package(with_int8), "int8") == ""


# --- tuned.json ---


def test_measurements_of_machines_sizes_and_forms_stay_apart(package: Path) -> None:
    tune(package, VNNI, {"onnx/fp32": 3.0})
    tune(package, BF16, {"onnx/fp32": 4.0})
    entry = Tuned(threads=1, pinned=False, p50_ms=1.0, p99_ms=2.0, n=7)
    write_tuned(package, VNNI.key, {"onnx/fp32": {"1x1x8x8": entry}, "onnx/bf16": {"1x1x8x8": entry}})
    found = read_tuned(package)
    assert found[VNNI.key]["onnx/fp32"]["1x1x64x96"].p50_ms == 3.0
    assert found[VNNI.key]["onnx/fp32"]["1x1x8x8"] == found[VNNI.key]["onnx/bf16"]["1x1x8x8"] == entry
    assert json.loads((package / "tuned.json").read_text())["schema"] == 1


# --- it runs ---


def test_the_int8_form_is_what_runs(package: Path) -> None:
    pytest.importorskip("openvino")
    made.add_int8(package)
    with np.load(package / "reference.npz") as arrays:
        frame, expected = arrays["frames"][0], arrays["keypoints"][0]
    model = load_model(package, precision="int8", threads=1)
    pose = np.asarray(model.estimate(frame))
    distance = np.linalg.norm(pose[:, :2] - np.squeeze(expected)[:, :2], axis=-1)
    assert 0 < distance.mean() < 0.5
    pinned = repr(model).rpartition(", ")[2]
    assert repr(model).endswith(f"int8 (0.21 px from fp32), 1 thread, {pinned}")
    fp32 = load_model(package, precision="fp32", threads=1)
    assert not np.array_equal(np.asarray(fp32.estimate(frame)), pose)
    assert "fp32, 1 thread" in repr(fp32)


def test_this_cpu_names_itself() -> None:
    cpu = this_cpu()
    assert cpu.name and cpu.cores >= 1
    assert cpu.key == f"{cpu.name}, {cpu.cores} cores, {cpu.runtime}"
