"""Which networks of DeepLabCut 3 can be imported: its type names, and what builds each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from fastpose.importing.networks.heatmap_head import build_heatmap_head
from fastpose.importing.networks.hrnet import HRNETS, build_hrnet
from fastpose.importing.networks.resnet import RESNETS, build_resnet

__all__ = ["BACKBONES", "DETECTORS", "HEADS", "SUPPORTED"]

Builder = Callable[[Mapping[str, Any]], nn.Module]

BACKBONES: dict[str, Builder] = {"ResNet": build_resnet, "HRNet": build_hrnet}
"""``model.backbone.type``: the config's backbone to a module with `stride`; features out."""

HEADS: dict[str, Builder] = {"HeatmapHead": build_heatmap_head}
"""``model.heads.<name>.type``: its config to a module with `outputs`, `bodyparts`, `fields`, `decode`."""

DETECTORS: dict[str, Builder] = {}
"""``detector.model.type`` of a top-down network."""

SUPPORTED: list[str] = [*RESNETS, *HRNETS]
"""Names for the user."""
