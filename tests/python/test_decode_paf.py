"""Part affinity fields: the decoder against DeepLabCut's own predictor, and what it must never do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastpose import _core as core
from oracle.paf_maps import CASES, Case, make_maps

GOLDEN = Path(__file__).parent / "golden" / "paf"


def stage_of(case: Case, **overrides: Any) -> core.DecodeStage:
    values: dict[str, Any] = {
        "shape": (case.individuals, case.bodyparts),
        "limbs": case.limbs,
        "map_size": (case.width, case.height),
        "stride": case.stride,
        "locref_stdev": 7.2801,
    }
    return core.paf_decode_stage(**(values | overrides))


def decode(case: Case, frame: int, **overrides: Any) -> np.ndarray:
    shape = (case.individuals, case.bodyparts)
    return stage_of(case, **overrides).run(make_maps(case, frame), shape)


@pytest.mark.parametrize("isa", ["scalar", "auto"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_poses_are_those_of_deeplabcut(name: str, isa: str) -> None:
    case = CASES[name]
    golden = np.load(GOLDEN / f"{name}.npz")["poses"]
    poses = np.stack([decode(case, frame, isa=isa) for frame in range(len(golden))])
    same = [
        np.array_equal(np.isnan(p), np.isnan(g)) and np.allclose(p, g, atol=2e-3, equal_nan=True)
        for p, g in zip(poses, golden, strict=True)
    ]
    assert np.mean(same) >= 0.98, f"{same.count(False)} of {len(same)} frames differ"
    assert np.isfinite(golden).any()
