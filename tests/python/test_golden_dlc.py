"""DeepLabCut's own networks, rebuilt here from the seed: the same names, maps and poses."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from dlc_golden import GOLDEN, MAX_LIKELIHOOD, MAX_PX, Golden, golden, network_input, network_of

torch = pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[import]"')

TIE = 1e-5  # two best cells closer than this: which one wins is no question of precision
NAMES = sorted(path.stem for path in GOLDEN.glob("*.npz"))
BOXES = [name for name in NAMES if name.startswith(("ssdlite", "fasterrcnn"))]
LARGE = {
    "hrnet_w48",
    "resnet_101",
    "cspnext_x",
    "rtmpose_x",
    "rtmpose_m",
    "hrnet_w32_paf",
    "dlcrnet_stride32_ms5",
}
"""Run with --all-networks only: more of the same, a few hundred MB each."""
KINDS = {"limbs": "paf"}
"""Outputs whose names here are not DeepLabCut's."""


@pytest.fixture(params=[name for name in NAMES if name not in BOXES])
def told(request: pytest.FixtureRequest) -> Golden:
    """What DeepLabCut said, network by network."""
    if request.param in LARGE and not request.config.getoption("--all-networks"):
        pytest.skip("a large sister of another network: run with --all-networks")
    return golden(request.param)


def exported(network: Any, like: np.ndarray) -> bytes:
    """ONNX of a network with dictionaries or tuples of maps out, for frames of one size."""
    file = io.BytesIO()
    frame = torch.from_numpy(like[:1])
    torch.onnx.export(network, (frame,), file, dynamo=False, opset_version=17, input_names=["frame"])
    return file.getvalue()


def maps_of(network: Any, frames: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Maps (n, ...) by head and name, by OpenVINO in fp32."""
    import openvino

    core = openvino.Core()
    model = core.read_model(io.BytesIO(exported(network, frames)))
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(model, "CPU", settings)
    passes = [[np.array(value) for value in compiled(frame[None]).values()] for frame in frames]
    outputs = iter(np.concatenate(values) for values in zip(*passes, strict=True))
    return {name: {output: next(outputs) for output in head.outputs} for name, head in network.heads.items()}


@pytest.mark.filterwarnings("ignore")  # torch's exporter has its say on tracing
def test_a_network_gives_the_maps_and_poses_of_deeplabcut(told: Golden) -> None:
    network = network_of(told)
    maps = maps_of(network, network_input(told.seen))
    for head, kinds in maps.items():
        for kind, values in kinds.items():
            assert_samples_agree(told, f"{head}.{KINDS.get(kind, kind)}", values)
    head = network.heads["bodypart"]
    poses, ties = head.decode(maps["bodypart"], head.fields(network.backbone.stride, told.config))
    assert_poses_agree(poses, told.poses, ties)
    if "unique_bodypart" in maps:
        head = network.heads["unique_bodypart"]
        unique, ties = head.decode(maps["unique_bodypart"], head.fields(network.backbone.stride, told.config))
        assert_poses_agree(unique, told.arrays["unique_poses"].astype(np.float64), ties)


def assert_samples_agree(told: Golden, name: str, values: np.ndarray) -> None:
    """A map has DeepLabCut's shape, and its values at the places that the oracle kept."""
    assert values.shape[1:] == tuple(told.arrays[f"shape.{name}"][1:])
    expected = told.arrays[f"samples.{name}"]
    flat = values[0].ravel()
    found = flat[np.linspace(0, flat.size - 1, len(expected)).astype(int)]
    assert np.abs(found - expected).max() < 2 * MAX_LIKELIHOOD * max(1.0, np.abs(expected).max())


def assert_poses_agree(found: np.ndarray, expected: np.ndarray, ties: np.ndarray | None) -> None:
    """Both are missing in the same places, or closer than the promise wherever there is no tie."""
    assert found.shape == expected.shape
    asked = np.ones(found.shape[:3], bool) if ties is None else ~ties
    assert np.array_equal(np.isnan(found[asked]), np.isnan(expected[asked]))
    several = found.shape[1] > 1  # noise decides a good part of what is assembled from random fields
    assert asked.mean() > (0.4 if several else 0.9)
    difference = np.nan_to_num(np.abs(found - expected)[asked])
    assert difference[:, :2].max() <= MAX_PX
    assert difference[:, 2].max() <= MAX_LIKELIHOOD
