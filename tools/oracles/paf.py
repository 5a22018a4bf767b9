"""Runs DeepLabCut's own part affinity predictor on maps made from a seed; writes its poses as golden files.

    python tools/oracles/paf.py tests/python/golden/paf

Needs an environment with DeepLabCut 3 (never a dependency of fastpose). The maps are made again by the test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))
from oracle.paf_maps import CASES, make_maps

FRAMES = 60


def poses_of(case: str) -> np.ndarray:
    """Return (frames, individuals, K, 3) float32 x, y, likelihood; NaN, NaN, 0 where there is nothing."""
    import torch
    from deeplabcut.pose_estimation_pytorch.models.predictors.paf_predictor import PartAffinityFieldPredictor

    spec = CASES[case]
    predictor = PartAffinityFieldPredictor(
        num_animals=spec.individuals,
        num_multibodyparts=spec.bodyparts,
        num_uniquebodyparts=0,
        graph=[list(limb) for limb in spec.limbs],
        edges_to_keep=list(range(len(spec.limbs))),
        locref_stdev=7.2801,
        nms_radius=5,
        sigma=1.0,
        min_affinity=0.05,
        apply_sigmoid=True,
        clip_scores=False,
    )
    found = []
    for frame in range(FRAMES):
        heatmap, locref, limbs = (torch.from_numpy(array) for array in make_maps(spec, frame))
        try:
            poses = predictor(spec.stride, {"heatmap": heatmap, "locref": locref, "paf": limbs})["poses"][0]
        except IndexError:  # DeepLabCut itself fails on maps without any pair of peaks
            poses = -torch.ones((spec.individuals, spec.bodyparts, 5))
        pose = poses[..., :3].numpy().astype(np.float32)
        pose[(poses[..., :4] == -1).all(-1).numpy()] = (np.nan, np.nan, 0)  # as where a body part is missing
        found.append(pose)
    return np.stack(found)


def main() -> None:
    """Write one file a case."""
    folder = Path(sys.argv[1])
    for case in CASES:
        np.savez_compressed(folder / f"{case}.npz", poses=poses_of(case))


if __name__ == "__main__":
    main()
