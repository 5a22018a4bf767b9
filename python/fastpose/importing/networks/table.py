"""Which networks of DeepLabCut 3 can be imported: its type names, and what builds each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from fastpose.importing.networks.cspnext import build_cspnext
from fastpose.importing.networks.detectors import BoxDetector, build_fasterrcnn, build_ssdlite
from fastpose.importing.networks.dlcrnet import build_dlcrnet
from fastpose.importing.networks.heatmap_head import build_heatmap_head
from fastpose.importing.networks.hrnet import HRNETS, build_hrnet
from fastpose.importing.networks.paf_head import build_dlcrnet_head
from fastpose.importing.networks.resnet import RESNETS, build_resnet
from fastpose.importing.networks.rtmcc_head import build_rtmcc_head

__all__ = ["BACKBONES", "DETECTORS", "HEADS", "SUPPORTED"]

Builder = Callable[[Mapping[str, Any]], nn.Module]

BACKBONES: dict[str, Builder] = {
    "ResNet": build_resnet,
    "HRNet": build_hrnet,
    "CSPNeXt": build_cspnext,
    "DLCRNet": build_dlcrnet,
}
"""``model.backbone.type``: the config's backbone to a module with `stride`; features out."""

HEADS: dict[str, Builder] = {
    "HeatmapHead": build_heatmap_head,
    "RTMCCHead": build_rtmcc_head,
    "DLCRNetHead": build_dlcrnet_head,
}
"""``model.heads.<name>.type``: its config to a module with `outputs`, `bodyparts`, `fields`, `decode`."""

DETECTORS: dict[str, Callable[[Mapping[str, Any]], BoxDetector]] = {
    "SSDLite": build_ssdlite,
    "FasterRCNN": build_fasterrcnn,
}
"""``detector.model.type`` of a top-down network."""

CSPNEXTS = ("cspnext_s", "cspnext_m", "cspnext_x")

SUPPORTED: list[str] = [*RESNETS, *HRNETS, *CSPNEXTS, "rtmpose_s", "rtmpose_m", "rtmpose_x", "dlcrnet"]
"""Names for the user."""
