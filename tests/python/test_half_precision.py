"""bf16 and fp16 are within 0.2 px in the mean: the shipped network, and small ones of the oracle."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason='needs onnx: pip install "fastpose-rig[import]"')

from tools.oracles.precisions import BUDGET_PX, Told, measured

from fastpose.config.model import package_folder

SMALL = ["resnet_50", "cspnext_s"]
LARGER = ["hrnet_w18", "rtmpose_s", "resnet_50_paf", "dlcrnet_stride16_ms5"]


def test_the_shipped_network_at_both(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(package_folder("builtin:simulated_mouse"), tmp_path / "mouse"))
    with np.load(folder / "reference.npz") as arrays:
        frames, poses = arrays["frames"], arrays["keypoints"][:, None]
    found = measured(folder, Told(frames, poses, np.zeros(poses.shape[:3], bool)), None)
    assert found.good and found.kept == "0"
    assert 0 < found.fp16["mean_px"] < BUDGET_PX / 4
    assert found.fp16["keypoints"] > found.fp16["likely_ties"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [*SMALL, *LARGER])
def test_networks_of_the_oracle_at_both(name: str, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[import]"')
    if name in LARGER and not request.config.getoption("--all-networks"):
        pytest.skip("takes minutes: run with --all-networks")
    from tools.oracles.networks import line_of

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row, good = line_of(name, None, others=True)
    assert good, row
