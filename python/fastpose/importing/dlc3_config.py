"""What a ``pytorch_config`` of DeepLabCut 3 says, as far as a network in use needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastpose.errors import ModelError

__all__ = ["Dlc3Config", "colormode_of", "inference_of", "normalisation", "read_config"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB; albumentations.Normalize
METHODS = {"bu": "bottom-up", "td": "top-down", "ctd": "conditional top-down"}
CROP_SIZE = 256  # px, where a top-down config names none
CHANGES = ("resize", "longest_max_size", "hflip", "affine", "crop_sampling", "hist_eq", "grayscale")


@dataclass(frozen=True)
class Dlc3Config:
    """The parts of the config, checked to be there."""

    method: str
    bodyparts: tuple[str, ...]
    unique_bodyparts: tuple[str, ...]
    individuals: tuple[str, ...]
    net_type: str
    colormode: str
    """RGB or BGR: the order in which the network takes the channels."""
    inference: Mapping[str, Any]
    """``data.inference``: what happens to a frame."""
    model: Mapping[str, Any]
    crop_size: tuple[int, int] | None
    """Width and height of the crop around an animal, px; top-down only."""
    padding: Mapping[str, Any]
    """As in model.yaml."""
    raw: Mapping[str, Any]


def read_config(config: Any, where: str) -> Dlc3Config:
    """Check a config.

    Parameters
    ----------
    config : mapping
        The content of ``pytorch_config.yaml``.
    where : str
        Its place, for errors.

    Raises
    ------
    ModelError
        A part is missing or of another kind.
    """
    metadata, model, data = (_section(config, key, where) for key in ("metadata", "model", "data"))
    method = str(config.get("method", "bu")).lower()
    if method not in METHODS:
        raise ModelError(f"{where}: method is {method!r}; allowed: {', '.join(METHODS)}")
    inference, bodyparts = inference_of(data, where), _names(metadata, "bodyparts", where)
    if not bodyparts:
        raise ModelError(f"{where}: metadata.bodyparts is empty")
    return Dlc3Config(
        method=method,
        bodyparts=bodyparts,
        unique_bodyparts=_names(metadata, "unique_bodyparts", where),
        individuals=_names(metadata, "individuals", where),
        net_type=str(config.get("net_type") or "unnamed"),
        colormode=colormode_of(data, where),
        inference=inference,
        model=model,
        crop_size=_crop_size(inference, where) if method == "td" else None,
        padding=_padding(inference, where),
        raw=config,
    )


def _section(config: Any, key: str, where: str) -> Mapping[str, Any]:
    section = config.get(key) if isinstance(config, Mapping) else None
    if not isinstance(section, Mapping):
        raise ModelError(f"{where}: {key} is missing; allowed: the pytorch_config of DeepLabCut 3")
    return section


def _names(metadata: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    names = metadata.get(key) or []
    if not isinstance(names, (list, tuple)):
        raise ModelError(f"{where}: metadata.{key} is {names!r}; allowed: a list of names")
    return tuple(map(str, names))


def colormode_of(data: Mapping[str, Any], where: str) -> str:
    """Order of the channels that ``data`` asks for; raises ModelError for an unknown one."""
    mode = str(data.get("colormode") or "RGB").upper()
    if mode not in ("RGB", "BGR"):
        raise ModelError(f"{where}: data.colormode is {mode!r}; allowed: RGB, BGR")
    return mode


def inference_of(data: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """``data.inference``; raises ModelError where it changes frames as the engine does not."""
    inference = data.get("inference") or {}
    if not isinstance(inference, Mapping):
        raise ModelError(f"{where}: data.inference is {inference!r}; allowed: keys and values")
    changes = [key for key in CHANGES if inference.get(key)]
    if changes:
        raise ModelError(
            f"{where}: data.inference.{changes[0]} changes the frames before the network sees them; "
            "allowed: normalize_images, scale_to_unit_range, auto_padding"
        )
    return inference


def _crop_size(inference: Mapping[str, Any], where: str) -> tuple[int, int]:
    crop = inference.get("top_down_crop") or {}
    if not isinstance(crop, Mapping) or not crop.get("crop_with_context", True):
        raise ModelError(
            f"{where}: data.inference.top_down_crop is {crop!r}; allowed: width, height, margin, "
            "crop_with_context true"
        )
    return int(crop.get("width") or CROP_SIZE), int(crop.get("height") or CROP_SIZE)


def normalisation(
    inference: Mapping[str, Any], colormode: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Scale and offset per channel of an RGB frame: tensor = pixel * scale + offset."""
    if inference.get("normalize_images"):
        scale = tuple(1 / (255 * std) for std in STD)
        offset = tuple(-mean / std for mean, std in zip(MEAN, STD, strict=True))
    else:
        unit = 1 / 255 if inference.get("scale_to_unit_range") else 1.0
        scale, offset = (unit,) * 3, (0.0,) * 3
    # The constants belong to the channels of the network, which a BGR network has the other way round.
    return (scale, offset) if colormode == "RGB" else (scale[::-1], offset[::-1])


def _padding(inference: Mapping[str, Any], where: str) -> dict[str, Any]:
    auto = inference.get("auto_padding")
    if not auto:
        return {"multiple": 1}
    multiples = {int(auto.get(f"pad_{side}_divisor") or 1) for side in ("width", "height")}
    fixed = [key for key in ("min_width", "min_height") if auto.get(key)]
    mode = auto.get("border_mode") or "reflect_101"
    if len(multiples) > 1 or fixed or mode != "reflect_101":
        raise ModelError(
            f"{where}: data.inference.auto_padding is {dict(auto)}; allowed: equal pad_width_divisor and "
            "pad_height_divisor, border_mode reflect_101"
        )
    return {"multiple": multiples.pop(), "mode": "reflect"}
