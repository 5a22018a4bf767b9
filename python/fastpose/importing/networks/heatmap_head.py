"""The heatmap head of DeepLabCut 3: transposed convolutions, then a convolution where the config has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from torch import Tensor, nn

from fastpose.errors import ModelError
from fastpose.importing.reference import decode_heatmap

__all__ = ["HeatmapHead", "MapHead", "build_heatmap_head"]


class MapHead(nn.Module):
    """Features to maps.

    Parameters
    ----------
    channels, kernel_size, strides : list of int
        Of the transposed convolutions: one channel count more than layers.
    final_conv : mapping, optional
        ``out_channels`` and ``kernel_size`` of a convolution after them.
    """

    def __init__(
        self,
        channels: list[int],
        kernel_size: list[int],
        strides: list[int],
        final_conv: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.stride, self.channels = 1.0, int(channels[-1])
        for index, (kernel, stride) in enumerate(zip(kernel_size, strides, strict=True)):
            layers += [nn.ConvTranspose2d(channels[index], channels[index + 1], kernel, stride), nn.ReLU()]
            self.stride *= stride
        self.deconv_layers = nn.Sequential(*layers[:-1])
        self.final_conv: nn.Module = nn.Identity()
        if final_conv:
            self.channels = int(final_conv["out_channels"])
            self.final_conv = nn.Conv2d(channels[-1], self.channels, final_conv["kernel_size"])

    def forward(self, features: Tensor) -> Tensor:
        """(n, C, h, w) to (n, channels, h', w')."""
        return self.final_conv(self.deconv_layers(features))


class HeatmapHead(nn.Module):
    """Heatmap, and locref where there is one and the predictor uses it."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.predictor: Mapping[str, Any] = config.get("predictor") or {}
        self.heatmap_head = _map_head("heatmap_config", config.get("heatmap_config"))
        self.locref_head = None
        if config.get("locref_config"):
            self.locref_head = _map_head("locref_config", config["locref_config"])
            if self.locref_head.channels != 2 * self.heatmap_head.channels:
                raise ModelError(
                    f"head: locref_config gives {self.locref_head.channels} channels, heatmap_config "
                    f"{self.heatmap_head.channels}; locref needs twice as many as the heatmap"
                )
        refines = bool(self.predictor.get("location_refinement", True))
        if refines and self.locref_head is None:
            raise ModelError("head: predictor.location_refinement is true, but there is no locref_config")
        self.outputs = ("heatmap", "locref") if refines else ("heatmap",)
        self.bodyparts = self.heatmap_head.channels

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """Maps, in the order of `outputs`."""
        heatmap = self.heatmap_head(features)
        if len(self.outputs) == 1 or self.locref_head is None:
            return (heatmap,)
        return heatmap, self.locref_head(features)

    def fields(self, backbone_stride: float, config: Mapping[str, Any]) -> dict[str, Any]:
        """What model.yaml says of this head."""
        locref = self.outputs[1:] == ("locref",)
        return {
            "stride": backbone_stride / self.heatmap_head.stride,
            "locref_stdev": float(self.predictor.get("locref_std", 7.2801)) if locref else 0.0,
            "decoder": "heatmap",
            "activation": _activation(self.predictor),
            "outputs": list(self.outputs),
        }

    def decode(
        self, maps: dict[str, npt.NDArray[Any]], fields: Mapping[str, Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Poses (n, 1, K, 3) in input px, and which are ties (n, 1, K)."""
        return decode_heatmap(
            maps["heatmap"],
            maps.get("locref"),
            stride=fields["stride"],
            locref_stdev=fields["locref_stdev"],
            activation=fields["activation"],
        )


def build_heatmap_head(config: Mapping[str, Any]) -> nn.Module:
    """The head that ``model.heads.<name>`` of a DeepLabCut 3 config describes.

    Raises
    ------
    ModelError
        Its parts do not fit each other, or its predictor is another.
    """
    predictor = (config.get("predictor") or {}).get("type", "HeatmapPredictor")
    if predictor != "HeatmapPredictor":
        raise ModelError(f"head: predictor {predictor!r} of a HeatmapHead; allowed: HeatmapPredictor")
    return HeatmapHead(config)


def _map_head(name: str, config: Any) -> MapHead:
    if not isinstance(config, Mapping):
        raise ModelError(f"head: {name} is missing")
    try:
        final = config.get("final_conv")
        return MapHead(config["channels"], config["kernel_size"], config["strides"], final)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ModelError(f"head: {name} cannot be used ({type(error).__name__}: {error})") from None


def _activation(predictor: Mapping[str, Any]) -> str:
    if predictor.get("apply_sigmoid", True):
        return "sigmoid"
    return "clip" if predictor.get("clip_scores", False) else "none"
