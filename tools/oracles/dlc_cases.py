"""The DeepLabCut networks that the oracle builds: plain data, read by both sides."""

from __future__ import annotations

from typing import Any

__all__ = ["BODYPARTS", "CASES", "INDIVIDUALS", "SEED", "SETTLING", "boxes", "seen_size", "weights_of"]

SEED = 20
SETTLING = 4
"""Frames that settle the norms."""
BODYPARTS = ("snout", "left_ear", "right_ear", "spine", "tail_base")
INDIVIDUALS = ("mouse_a", "mouse_b", "mouse_c")


def _case(net: str, *, height: int = 160, width: int = 192, **more: Any) -> dict[str, Any]:
    return {"net": net, "height": height, "width": width, "count": 2, **more}


CORNERS = ((16, 8), (40, 24))


def boxes(case: dict[str, Any]) -> list[tuple[int, int, int, int]]:
    """x, y, width, height of the animals: of the crop's own size, so that a crop resamples nothing."""
    return [(x, y, case["crop"], case["crop"]) for x, y in CORNERS]


TOP_DOWN: dict[str, Any] = {"height": 288, "width": 320, "crop": 256}
LARGE_CROP: dict[str, Any] = {"height": 416, "width": 448, "crop": 384}
CALM: dict[str, Any] = {"branch_gain": 0.25}
"""For the deepest networks, whose likelihoods would else be decided by rounding; see `seed_pose_model`."""

CASES: dict[str, dict[str, Any]] = {
    "resnet_50": _case("resnet_50"),
    "resnet_50_odd_size": _case("resnet_50", height=150, width=203),
    "resnet_50_no_locref": _case("resnet_50", locref=False),
    "resnet_50_sigmoid": _case("resnet_50", sigmoid=True),
    "resnet_50_unique": _case("resnet_50", paf=True, unique=("corner", "lever")),
    "resnet_101": _case("resnet_101", **CALM),
    "hrnet_w18": _case("hrnet_w18"),
    "hrnet_w32": _case("hrnet_w32"),
    "hrnet_w48": _case("hrnet_w48"),
    "hrnet_w32_no_locref": _case("hrnet_w32", locref=False),
    "top_down_resnet_50": _case("resnet_50", **TOP_DOWN),
    "top_down_hrnet_w32": _case("hrnet_w32", **TOP_DOWN),
    "cspnext_s": _case("cspnext_s"),
    "cspnext_m": _case("cspnext_m"),
    "cspnext_x": _case("cspnext_x"),
    "rtmpose_s": _case("rtmpose_s", **TOP_DOWN),
    "rtmpose_m": _case("rtmpose_m", **TOP_DOWN),
    "rtmpose_x": _case("rtmpose_x", **LARGE_CROP, **CALM),
    "dlcrnet_stride16_ms5": _case("dlcrnet_stride16_ms5", paf=True),
    "dlcrnet_stride32_ms5": _case("dlcrnet_stride32_ms5", paf=True),
    "resnet_50_paf": _case("resnet_50", paf=True),
    "hrnet_w18_paf": _case("hrnet_w18", paf=True),
    "hrnet_w32_paf": _case("hrnet_w32", paf=True),
    "ssdlite": _case("resnet_50", detector="ssdlite", **TOP_DOWN),
    "fasterrcnn_mobilenet_v3_large_fpn": _case(
        "resnet_50", detector="fasterrcnn_mobilenet_v3_large_fpn", **TOP_DOWN
    ),
    "fasterrcnn_resnet50_fpn_v2": _case("resnet_50", detector="fasterrcnn_resnet50_fpn_v2", **TOP_DOWN),
}
"""Name of a golden file to what makes it. `detector`: the detector alone, whole frames in, boxes out."""


def seen_size(case: dict[str, Any]) -> tuple[int, int]:
    """Height and width of what the network sees."""
    return (case["crop"], case["crop"]) if "crop" in case else (case["height"], case["width"])


def weights_of(case: dict[str, Any]) -> dict[str, float]:
    """Arguments of `seed_pose_model` beside the seed."""
    return {"branch_gain": case.get("branch_gain", 1.0)}
