"""DLCRNet's head (Lauer et al. 2022): heatmap, locref and part affinity fields, refined in stages."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from fastpose.errors import ModelError
from fastpose.importing.networks.heatmap_head import MapHead
from fastpose.importing.reference_paf import decode_paf, paf_ties

__all__ = ["DLCRNetHead", "build_dlcrnet_head"]

CONTEXT_CHANNELS = 128


class DLCRNetHead(nn.Module):
    """Features (n, C, h, w) to heatmap (n, K, h', w') before the sigmoid, locref (n, 2K, ...) and limbs.

    Each stage sees the heatmap and the fields (n, 2L, ...) of the one before beside features that stay; from
    the second on a heatmap is what the stage adds to the one before.
    """

    outputs = ("heatmap", "locref", "limbs")

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        heatmap, locref, paf = (copy.deepcopy(dict(config[f"{kind}_config"])) for kind in _KINDS)
        inputs, self.bodyparts = int(heatmap["channels"][0]), int(heatmap["channels"][-1])
        fields = int(paf["channels"][-1])
        self.predictor = dict(config["predictor"])
        self.stages = int(config.get("num_stages", 5))
        if self.stages > 0:
            refined = CONTEXT_CHANNELS + self.bodyparts + fields
            heatmap["channels"][0] = paf["channels"][0] = refined
            locref["channels"][0] = locref["channels"][-1]
        self.heatmap_head, self.locref_head, self.paf_head = (
            MapHead(part["channels"], part["kernel_size"], part["strides"], part.get("final_conv"))
            for part in (heatmap, locref, paf)
        )
        self.stride = self.heatmap_head.stride * (2 if self.stages > 0 else 1)
        self.convt1 = _doubled(inputs, self.bodyparts)
        self.convt2 = _doubled(inputs, int(locref["channels"][-1]))
        self.convt3 = _doubled(inputs, fields)
        self.convt4 = _doubled(inputs, CONTEXT_CHANNELS)
        width = CONTEXT_CHANNELS + self.bodyparts + fields
        self.hm_ref_layers = nn.ModuleList(_refinement(width, self.bodyparts) for _ in range(self.stages))
        self.paf_ref_layers = nn.ModuleList(_refinement(width, fields) for _ in range(self.stages))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        if self.stages == 0:
            return self.heatmap_head(features), self.locref_head(features), self.paf_head(features)
        context = self.convt4(features)
        heatmap, fields = self.convt1(features), self.convt3(features)
        for stage, (to_heatmap, to_fields) in enumerate(
            zip(self.hm_ref_layers, self.paf_ref_layers, strict=True)
        ):
            seen = torch.cat((heatmap, fields, context), 1)
            heatmap = to_heatmap(seen) + heatmap if stage > 0 else to_heatmap(seen)
            fields = to_fields(seen)
        last = torch.cat((heatmap, fields, context), 1)
        return self.heatmap_head(last), self.locref_head(self.convt2(features)), self.paf_head(last)

    def fields(self, backbone_stride: float, config: Mapping[str, Any]) -> dict[str, Any]:
        """Entries of model.yaml that this head decides."""
        predictor = self.predictor
        graph = predictor["graph"]
        return {
            "decoder": "paf",
            "outputs": list(self.outputs),
            "stride": backbone_stride / self.stride,
            "locref_stdev": float(predictor.get("locref_stdev", 7.2801)),
            "activation": "sigmoid" if predictor.get("apply_sigmoid", True) else "none",
            "paf": {
                "limbs": [[int(graph[i][0]), int(graph[i][1])] for i in predictor["edges_to_keep"]],
                "nms_size": int(predictor.get("nms_radius", 5)),
                "smoothing_cells": float(predictor.get("sigma", 1.0)),
                "min_affinity": float(predictor.get("min_affinity", 0.05)),
            },
        }

    def decode(
        self, maps: dict[str, npt.NDArray[Any]], fields: Mapping[str, Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Poses (n, individuals, K, 3) in input px, and which are ties (n, individuals, K)."""
        individuals = int(self.predictor["num_animals"])
        poses = decode_paf(maps, fields, individuals=individuals)
        return poses, paf_ties(maps, fields, poses)


_KINDS = ("heatmap", "locref", "paf")


def build_dlcrnet_head(config: Mapping[str, Any]) -> nn.Module:
    """The head that a DeepLabCut config describes; only the limbs that its predictor uses stay.

    Raises
    ------
    ModelError
        A map is missing, or the predictor cannot be had.
    """
    missing = [kind for kind in _KINDS if not config.get(f"{kind}_config")]
    if missing:
        raise ModelError(
            f"head DLCRNetHead: no {missing[0]}_config; supported: heatmap, locref and paf together"
        )
    if config["predictor"].get("clip_scores"):
        raise ModelError("head DLCRNetHead: predictor.clip_scores is true; supported: false")
    return DLCRNetHead(config)


def _doubled(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Twice the height and width, exactly."""
    return nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1)


def _refinement(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
