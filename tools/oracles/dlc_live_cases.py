"""What the DeepLabCut-live oracle is asked: plain data, read by both sides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "BODYPARTS",
    "CASES",
    "CONFIG",
    "CROP",
    "DETECTOR_SETTLING",
    "FRAMES",
    "SEED",
    "SHIFT",
    "config_of",
    "options",
    "picked",
    "settling",
]

SEED = 31
BODYPARTS = ("snout", "left_ear", "right_ear", "tail_base")
FRAMES = {"count": 4, "height": 138, "width": 170}
CROP = [21, 149, 6, 122]
"""x1, x2, y1, y2, px."""
DETECTOR_SETTLING = (4, 288, 320)
"""Count, height and width of the frames that settle the norms of a detector."""
SHIFT = 3.0
"""What the processor of one case adds to x and y, px."""
_FOLLOW = (True, 0.5, 14)
_TOP_DOWN: dict[str, Any] = {"detector": "ssdlite", "of": 16, "pick": (2, 3, 7, 13)}
_TWO: dict[str, Any] = {"single_animal": False, "top_down_config": {"max_detections": 2}}

CONFIG: dict[str, Any] = {
    "data": {"colormode": "RGB", "inference": {"normalize_images": True}},
    "device": "auto",
    "method": "bu",
    "metadata": {
        "project_path": "",
        "pose_config_path": "",
        "bodyparts": list(BODYPARTS),
        "unique_bodyparts": [],
        "individuals": ["animal"],
        "with_identity": False,
    },
    "net_type": "resnet_50",
    "model": {
        "backbone": {
            "type": "ResNet",
            "model_name": "resnet50_gn",
            "output_stride": 16,
            "freeze_bn_stats": False,
            "freeze_bn_weights": False,
        },
        "backbone_output_channels": 2048,
        "heads": {
            "bodypart": {
                "type": "HeatmapHead",
                "weight_init": "normal",
                "predictor": {
                    "type": "HeatmapPredictor",
                    "apply_sigmoid": False,
                    "clip_scores": True,
                    "location_refinement": True,
                    "locref_std": 7.2801,
                },
                "heatmap_config": {"channels": [2048, 4], "kernel_size": [3], "strides": [2]},
                "locref_config": {"channels": [2048, 8], "kernel_size": [3], "strides": [2]},
            }
        },
    },
}
"""The config of an export, as DeepLabCut 3 writes it for resnet_50."""

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "grey": {"grey": True},
    "crop": {"cropping": CROP},
    "smaller": {"resize": 0.75},
    "half": {"resize": 0.5},
    "larger": {"resize": 1.25},
    "crop_smaller": {"cropping": CROP, "resize": 0.8},
    "dynamic": {"dynamic": _FOLLOW},
    "dynamic_smaller": {"dynamic": _FOLLOW, "resize": 0.75},
    "dynamic_inside": {"dynamic": _FOLLOW, "inside": True},
    "several": {"single_animal": False},
    "processor": {"processor": True},
    "hrnet": {"network": "hrnet_w18"},
    "hrnet_crop_smaller": {"network": "hrnet_w18", "cropping": CROP, "resize": 0.8},
    "hrnet_dynamic": {"network": "hrnet_w18", "dynamic": _FOLLOW},
    "cspnext": {"network": "cspnext_s"},
    "cspnext_grey": {"network": "cspnext_s", "grey": True},
    "paf": {"network": "resnet_50_paf", "single_animal": False},
    "paf_crop_smaller": {"network": "resnet_50_paf", "single_animal": False, "cropping": CROP, "resize": 0.8},
    "paf_dynamic": {"network": "resnet_50_paf", "dynamic": (True, 0.2, 14)},
    "top_down_simcc": {"network": "rtmpose_s", **_TOP_DOWN},
    "top_down_simcc_several": {"network": "rtmpose_s", **_TOP_DOWN, **_TWO},
    "top_down_heatmap": {"network": "top_down_resnet_50", **_TOP_DOWN, **_TWO},
}
"""Arguments of DLCLive by case. `grey`: frames are one channel; `processor`: one that adds SHIFT; `inside`:
frames are cut to CROP beforehand, which is what cropping and dynamic together are meant to do; `network`:
that of a golden file of DeepLabCut in place of CONFIG."""


def config_of(case: dict[str, Any]) -> dict[str, Any]:
    """Config of the export that a case is asked of."""
    if "network" not in case:
        return CONFIG
    config = _golden_config(case["network"])
    if "detector" in case:
        config["detector"] = _golden_config(case["detector"])["detector"]
        config["detector"]["model"].pop("variant", None)  # DeepLabCut writes it, DeepLabCut-live rejects it
        config["metadata"]["individuals"] = ["animal_1", "animal_2"]
    return config


def _golden_config(name: str) -> dict[str, Any]:
    import numpy as np

    golden = Path(__file__).resolve().parents[2] / "tests" / "python" / "golden" / "dlc"
    with np.load(golden / f"{name}.npz", allow_pickle=False) as file:
        return dict(json.loads(str(file["config"])))


def settling(case: dict[str, Any]) -> tuple[int, int, int]:
    """Count, height and width of the frames that settle the norms of its network."""
    if "detector" in case:
        crop = config_of(case)["data"]["inference"]["top_down_crop"]
        return 4, crop["height"], crop["width"]
    return (4 if "network" in case else 1, 160, 192)


def options(case: dict[str, Any]) -> dict[str, Any]:
    """Those of a case's keys that are arguments of DLCLive."""
    known = ("cropping", "resize", "dynamic", "single_animal", "top_down_config")
    return {key: value for key, value in case.items() if key in known}


def picked(case: dict[str, Any], frames: Sequence[Any]) -> list[Any]:
    """The frames of a case, of all that its seed gives."""
    return [frames[number] for number in case.get("pick", range(len(frames)))]
