"""Several animals whose peaks and limbs the GPU finds: DeepLabCut's poses, sleap-nn's, and those of the CPU.

Each test runs twice: with the kernels' twins on the CPU (emulated), and on a GPU where there is one.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fastpose import _core
from gpu import cuda_module, require_gpu
from oracle.paf_maps import CASES, make_maps
from test_decode_paf_tree import FIELD, LIMBS, MAP, ORDER, SHAPE, oracle, seeded_maps

GOLDEN = Path(__file__).parent / "golden" / "paf"
SIZE = (32, 24)
PAF: dict[str, Any] = {
    "activation": "sigmoid",
    "smoothing_cells": 1.0,
    "nms_size": 5,
    "min_score": 0.01,
    "min_likelihood": 0.1,
    "min_affinity": 0.05,
    "points_per_limb": 10,
}
TREE: dict[str, Any] = {
    "shape": SHAPE,
    "limbs": LIMBS,
    "order": ORDER,
    "map_size": MAP,
    "limb_map_size": FIELD,
    "stride": 2.0,
    "limb_stride": 4.0,
    "window": 5,
    "min_score": 0.2,
    "most_peaks": 64,
    "min_affinity": 0.25,
    "points_per_limb": 10,
    "length_ratio": 0.25,
    "length_penalty": 1.0,
}


@pytest.fixture(params=["emulated", "gpu"])
def emulated(request: pytest.FixtureRequest) -> bool:
    cuda_module()
    if request.param == "gpu":
        require_gpu()
    return bool(request.param == "emulated")


@pytest.fixture
def cuda() -> ModuleType:
    return cuda_module()


def poses_of(
    cuda: ModuleType, emulated: bool, decode: Any, outputs: list[NDArray[Any]], pose: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the poses of a batch; the tensor's pixels are the frame's, so that places are the maps'."""
    rows, colour = len(outputs[0]), {"colour": "grey", "scale": (1.0,) * 3, "offset": (0.0,) * 3}
    row = cuda.Preprocess(
        pixel_format="mono8", frame_size=SIZE, output_size=SIZE, roi=(0, 0, *SIZE), **colour
    )
    dtype = "f16" if outputs[0].dtype == np.float16 else "f32"
    network = cuda.CudaNetwork(
        preprocess=[row] * rows,
        input=cuda.Tensor("input", (rows, 1, SIZE[1], SIZE[0])),
        outputs=[cuda.Tensor(f"output{i}", maps.shape, dtype) for i, maps in enumerate(outputs)],
        decode=decode,
        individuals=pose[0],
        bodyparts=pose[1],
        emulated=emulated,
    )
    network.call_each_frame(lambda: True)
    network.finish()
    assert "peaks and limbs on the GPU, animals on the CPU" in network.description
    for index, maps in enumerate(outputs):
        network.set_output(index, np.frombuffer(maps.tobytes(), np.uint8))
    found: NDArray[np.float32] = network.estimate([np.zeros(SIZE[::-1], np.uint8)] * rows)
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("name", sorted(CASES))
def test_poses_are_those_of_deeplabcut(cuda: ModuleType, emulated: bool, name: str, dtype: Any) -> None:
    case, golden = CASES[name], np.load(GOLDEN / f"{name}.npz")["poses"]
    options = {
        "shape": (case.individuals, case.bodyparts),
        "limbs": case.limbs,
        "map_size": (case.width, case.height),
        "stride": case.stride,
        "locref_stdev": 7.2801,
        **PAF,
    }
    frames = range(min(len(golden), 12))
    maps = [
        np.concatenate(each).astype(dtype) for each in zip(*(make_maps(case, i) for i in frames), strict=True)
    ]
    poses = poses_of(cuda, emulated, cuda.paf_decode(**options), maps, options["shape"])
    stage = _core.paf_decode_stage(**options, isa="scalar")
    same = []
    for row in frames:
        by_cpu = stage.run(tuple(each[row : row + 1].astype(np.float32) for each in maps), options["shape"])
        np.testing.assert_allclose(poses[row], by_cpu, rtol=0, atol=1e-3)
        same.append(np.allclose(poses[row], golden[row], atol=2e-3, equal_nan=True))
    if dtype == np.float32:
        assert np.mean(same) >= 0.9, f"{same.count(False)} of {len(same)} frames differ from DeepLabCut"


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("most_peaks", [3, 64])
def test_poses_are_those_of_sleap(cuda: ModuleType, emulated: bool, most_peaks: int, dtype: Any) -> None:
    options, seeds = TREE | {"most_peaks": most_peaks}, range(8)
    maps = [
        np.concatenate(each).astype(dtype) for each in zip(*(seeded_maps(i, 3) for i in seeds), strict=True)
    ]
    poses = poses_of(cuda, emulated, cuda.paf_tree_decode(**options), maps, SHAPE)
    stage = _core.paf_tree_decode_stage(**options)
    for row in seeds:
        of_row = [each[row : row + 1].astype(np.float32) for each in maps]
        np.testing.assert_allclose(poses[row], stage.run(of_row, SHAPE), rtol=0, atol=1e-3)
        if most_peaks == 64:
            wanted = oracle(*of_row)
            np.testing.assert_allclose(poses[row, ..., :2], wanted[..., :2], rtol=0, atol=1e-3)
    assert np.isfinite(poses).any()


def test_unique_body_parts_beside_the_animals(cuda: ModuleType, emulated: bool) -> None:
    """Lists of the animals, maps of what exists once."""
    random = np.random.default_rng(3)
    case = CASES[sorted(CASES)[0]]
    shape, unique = (case.individuals, case.bodyparts), 2
    whole = (shape[0] + 1, shape[1] + unique)
    options: dict[str, Any] = {
        "shape": shape,
        "limbs": case.limbs,
        "map_size": (case.width, case.height),
        "stride": case.stride,
        "locref_stdev": 7.2801,
        **PAF,
    }
    heads: dict[str, Any] = {
        "bodyparts": unique,
        "map_size": (case.width, case.height),
        "stride": float(case.stride),
        "locref_stdev": 0.0,
        "activation": "sigmoid",
    }
    maps = [np.concatenate(each) for each in zip(*(make_maps(case, i) for i in range(2)), strict=True)]
    maps.append(random.normal(0, 2, (2, unique, case.height, case.width)).astype(np.float32))
    of_unique = _core.heatmap_decode_stage(**heads)
    decode = cuda.unique_decode(cuda.paf_decode(**options), of_unique, shape=whole, unique_bodyparts=unique)
    poses = poses_of(cuda, emulated, decode, maps, whole)
    stage = _core.unique_decode_stage(
        _core.paf_decode_stage(**options, isa="scalar"),
        of_unique,
        shape=whole,
        unique_bodyparts=unique,
        animal_outputs=3,
    )
    for row in range(2):
        wanted = stage.run(tuple(each[row : row + 1] for each in maps), whole)
        np.testing.assert_allclose(poses[row], wanted, rtol=0, atol=1e-3)
    assert np.isfinite(poses[:, -1, -unique:]).all()
    with pytest.raises(ValueError, match=r"allowed: paf_decode\(\), paf_tree_decode\(\)"):
        cuda.unique_decode(cuda.host_decode(stage), of_unique, shape=whole, unique_bodyparts=unique)
