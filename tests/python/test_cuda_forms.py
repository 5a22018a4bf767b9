"""Which file runs on a GPU at a precision; what is said where there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fastpose.config.model import package_folder
from fastpose.cuda.forms import gpu_form_of, gpu_hint, require_gpu_budget
from fastpose.errors import DeviceError, ModelError
from fastpose.model_package import ModelPackage, digest_of, read_model_package


@pytest.fixture
def package(tmp_path: Path) -> ModelPackage:
    return read_model_package(
        shutil.copytree(package_folder("builtin:simulated_mouse"), tmp_path / "package")
    )


def add(package: ModelPackage, precision: str, **changes: Any) -> None:
    file = package.folder / f"model_{precision}.onnx"
    file.write_bytes(b"network " + precision.encode())
    entry = {
        "file": file.name,
        "source_sha256": package.sha256["model.onnx"],
        "sha256": {file.name: digest_of(file)},
        "budget_px": 0.5,
        "mean_px": 0.1,
        **changes,
    }
    path = package.folder / "optimized.json"
    content = json.loads(path.read_text()) if path.is_file() else {"schema": 1, "forms": {}}
    content["forms"][f"gpu_{precision}"] = entry
    path.write_text(json.dumps(content))


def test_auto_is_fp16_where_there_is_one_within_its_budget(package: ModelPackage) -> None:
    assert gpu_form_of(package, "auto").file.name == "model.onnx"
    assert "--device cuda --precision fp16" in gpu_hint(package)
    add(package, "fp16")
    form = gpu_form_of(package, "auto")
    assert (form.precision, form.file.name, form.mean_px) == ("fp16", "model_fp16.onnx", 0.1)
    assert gpu_hint(package) == ""
    add(package, "fp16", mean_px=0.6)
    assert gpu_form_of(package, "auto").precision == "fp32"


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
def test_a_form_that_was_never_made_names_the_command(package: ModelPackage, precision: str) -> None:
    with pytest.raises(ModelError, match=f"fastpose optimize .* --device cuda --precision {precision}"):
        gpu_form_of(package, precision)
    add(package, precision)
    assert gpu_form_of(package, precision).file.name == f"model_{precision}.onnx"


def test_a_changed_file_and_one_of_another_network_are_refused(package: ModelPackage) -> None:
    add(package, "fp16")
    (package.folder / "model_fp16.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"model_fp16.onnx has sha256"):
        gpu_form_of(package, "fp16")
    add(package, "fp16", source_sha256="0" * 64)
    with pytest.raises(ModelError, match=r"was made from another model.onnx"):
        gpu_form_of(package, "fp16")


def test_a_form_over_its_budget_does_not_arm(package: ModelPackage) -> None:
    add(package, "int8", mean_px=3.0)
    with pytest.raises(ModelError, match=r"3 px from fp32 \(mean\) is over the budget of 0.5 px"):
        require_gpu_budget(package, "int8")
    require_gpu_budget(package, "auto")


def test_a_precision_that_is_none_is_refused(package: ModelPackage) -> None:
    with pytest.raises(DeviceError, match=r"'fp8'; allowed on cuda: auto, fp32, fp16, bf16, int8"):
        gpu_form_of(package, "fp8")


def test_networks_of_openvino_alone_cannot_run_there(package: ModelPackage) -> None:
    other = package.model_copy(update={"network_file": "model.xml"})
    with pytest.raises(ModelError, match=r"needs model.onnx"):
        gpu_form_of(other, "fp32")
