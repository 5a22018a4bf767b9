"""``fastpose import`` and ``fastpose verify`` on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastpose.config.model import package_folder


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastpose", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.timeout(300)
def test_an_import_says_what_it_found_and_verifies(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="importing needs torch: pip install 'fastpose-rig[import]'")
    pytest.importorskip("onnx", reason="importing needs onnx: pip install 'fastpose-rig[import]'")
    import dlc3_files as dlc3

    source = dlc3.write_export(tmp_path / "DLC_mouse.pt", dlc3.config("resnet_50"))
    frames = dlc3.write_frames(tmp_path / "frames")
    result = call("import", source, "-o", tmp_path / "mouse", "--name", "mouse", "--frames", frames)
    lines = words(result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert lines[0] == "source DeepLabCut 3 export (.pt)"
    assert "body parts 4: snout, leftear, rightear, tailbase" in lines
    assert "input RGB, mean and deviation of ImageNet" in lines
    assert "output heatmap, stride 8 px, locref x 7.2801 px, scores: clip" in lines
    assert lines[-1] == f"{tmp_path}/mouse: within its budget"
    assert sorted(file.name for file in (tmp_path / "mouse").iterdir()) == [
        "model.onnx",
        "model.yaml",
        "parity.json",
        "reference.npz",
    ]


def test_a_source_that_is_none(tmp_path: Path) -> None:
    result = call("import", tmp_path / "none.pt", "-o", tmp_path / "mouse")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"fastpose: source '{tmp_path}/none.pt': no such file or folder\n"


def test_a_package_over_its_budget_is_said(tmp_path: Path) -> None:
    package = tmp_path / "mouse"
    shutil.copytree(package_folder("builtin:simulated_mouse"), package)
    good = call("verify", package, "--precision", "fp32")
    assert (good.returncode, words(good.stdout)[-1]) == (0, f"{package}: within its budget")
    with np.load(package / "reference.npz") as arrays:
        content = {name: arrays[name] for name in arrays.files}
    content["keypoints"][..., 0] += 1
    np.savez(package / "reference.npz", **content)
    bad = call("verify", package, "--precision", "fp32")
    assert bad.returncode == 2
    assert bad.stderr == (
        f"fastpose: {package}: mean_px 1 is over the budget of 0.5 px: "
        "it does not arm unless model.accept_parity is true\n"
    )
    wide = call("verify", package, "--precision", "fp32", "--budget-px", 2, 3)
    assert wide.returncode == 0
    assert json.loads((package / "parity.json").read_text())["budget_px"] == {"mean_px": 2.0, "max_px": 3.0}
