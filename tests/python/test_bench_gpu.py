"""The bench for GPUs, as far as it goes without one."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from benches.gpu.measure import percentiles
from benches.gpu.networks import CASES, frames_of
from benches.gpu.roofline import least_ms, operations_of

from tiny_package import BODYPARTS, STRIDE, save_heatmap

ROOT = Path(__file__).parents[2]
RUN = ROOT / "benches" / "gpu" / "run.sh"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(RUN), *arguments], capture_output=True, text=True, check=False)


def test_an_unknown_option_is_refused() -> None:
    done = run("--fast")
    assert done.returncode == 2 and "--fast is no option; allowed: --dry, --no-build" in done.stderr


def test_without_a_gpu_it_says_what_is_allowed() -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a GPU")
    done = run("--no-build")
    assert done.returncode == 2 and "no NVIDIA driver here; allowed without one: --dry" in done.stderr


def test_the_dry_run_of_the_measurements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="needs torch")
    from benches.gpu.__main__ import dry, print_table

    case = next(case for case in CASES if case.name == "small_256x256")
    content = dry([case], tmp_path)
    row = content["cases"][case.name]
    assert content["failed"] == [] and row["operations"] > 1e6 and row["keypoints"] >= 0
    print_table(content)
    assert "small_256x256: " in capsys.readouterr().out
    forms = json.loads((tmp_path / "small" / "optimized.json").read_text())["forms"]
    assert set(forms) == {"gpu_fp16"}


def test_plain_pytorch_clips_once_the_cell_is_chosen() -> None:
    """As DeepLabCut does: of several scores above 1 the highest is the place."""
    torch = pytest.importorskip("torch", reason="needs torch")
    from benches.gpu.plain_torch import LOCREF_STDEV, PlainTorch

    class Maps(torch.nn.Module):
        def forward(self, frames: object) -> object:
            scores, locref = torch.zeros(1, 1, 4, 5), torch.zeros(1, 2, 4, 5)
            scores[0, 0, 1, 2], scores[0, 0, 3, 4] = 1.5, 2.5
            locref[0, :, 3, 4] = torch.tensor([0.5, -0.25])
            return scores, locref

    pose = PlainTorch(Maps(), "cpu").poses(np.zeros((1, 8, 8, 3), np.uint8))
    expected = [4 * 8 + 4 + 0.5 * LOCREF_STDEV, 3 * 8 + 4 - 0.25 * LOCREF_STDEV, 1]
    np.testing.assert_allclose(pose[0, 0], expected, rtol=1e-6)


def test_operations_are_those_of_the_convolutions(tmp_path: Path) -> None:
    save_heatmap(tmp_path / "maps.onnx", 3)
    cost = operations_of(tmp_path / "maps.onnx", (1, 3, 48, 64))
    weights = 3 * len(BODYPARTS) * 3 * STRIDE * STRIDE
    assert cost == {"operations": 2.0 * weights * (48 // STRIDE) * (64 // STRIDE), "weights": float(weights)}


def test_the_least_time_is_that_of_the_tighter_bound() -> None:
    peaks = {"fp16_tops": 1.0, "fp32_tops": 0.5, "copy_gb_s": 100.0}
    assert least_ms({"operations": 1e9, "weights": 1e3}, peaks, "fp16") == 1.0
    assert least_ms({"operations": 1e9, "weights": 1e3}, peaks, "fp32") == 2.0
    assert least_ms({"operations": 1.0, "weights": 1e8}, peaks, "fp16") == 2.0


def test_plain_torch_gives_the_engines_poses(tmp_path: Path) -> None:
    """Its decoding, against the engine's, on maps with one peak each."""
    torch = pytest.importorskip("torch", reason="needs torch")
    from benches.gpu.plain_torch import LOCREF_STDEV, PlainTorch
    from benches.gpu.plain_torch import STRIDE as CELL

    from fastpose import _core

    random = np.random.default_rng(1)
    scores = random.uniform(0, 1, (1, 4, 9, 12)).astype(np.float32)
    locref = random.normal(0, 0.2, (1, 8, 9, 12)).astype(np.float32)
    plain = PlainTorch(torch.nn.Identity(), "cpu")
    found = plain._decoded(torch.from_numpy(scores), torch.from_numpy(locref)).numpy()
    decode = _core.heatmap_decode_stage(
        bodyparts=4, map_size=(12, 9), stride=CELL, locref_stdev=LOCREF_STDEV, activation="clip"
    )
    np.testing.assert_allclose(found, decode.run([scores, locref], (1, 4)), atol=1e-4)


def test_frames_and_percentiles() -> None:
    case = CASES[0]
    frames = frames_of(case, 2)
    assert frames.shape == (2, 302, 658, 3) and frames.flags.c_contiguous
    assert percentiles([0.001, 0.002, 0.003]) == {
        "n": 3,
        "p50_ms": 2.0,
        "p90_ms": 2.8,
        "p99_ms": 2.98,
        "p99.9_ms": 2.998,
        "max_ms": 3.0,
    }
