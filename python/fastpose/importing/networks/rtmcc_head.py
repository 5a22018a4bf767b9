"""RTMPose's head (Jiang et al. 2023, arXiv 2303.07399): gated attention over body parts, then SimCC bins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from fastpose.errors import ModelError
from fastpose.importing.reference_simcc import decode_simcc

__all__ = ["RTMCCHead", "build_rtmcc_head"]

ACTIVATIONS = {"SiLU": nn.SiLU, "ReLU": nn.ReLU}


class ScaleNorm(nn.Module):
    """Vectors divided by their root mean square, times one learned factor (Nguyen & Salazar 2019)."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1))
        self.shrink = length**-0.5

    def forward(self, values: Tensor) -> Tensor:
        """(..., length) to the same shape."""
        norm = torch.sqrt((values * values).sum(-1, keepdim=True)) * self.shrink
        return values / norm.clamp(min=1e-5) * self.g


class Scale(nn.Module):
    """A learned factor per channel."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(length))

    def forward(self, values: Tensor) -> Tensor:
        """(..., length) to the same shape."""
        return values * self.scale


class GatedAttentionUnit(nn.Module):
    """Self-attention with squared-ReLU weights, gated (Hua et al. 2022): (n, K, length) to the same shape.

    Parameters
    ----------
    length : int
        Of the vector of a body part.
    inner, queries : int
        Lengths of the gated values and of queries and keys.
    activation : type of nn.Module
    """

    def __init__(self, length: int, inner: int, queries: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.lengths = [inner, inner, queries]
        self.ln = ScaleNorm(length)
        self.uv = nn.Linear(length, sum(self.lengths), bias=False)
        self.gamma = nn.Parameter(torch.ones(2, queries))
        self.beta = nn.Parameter(torch.zeros(2, queries))
        self.o = nn.Linear(inner, length, bias=False)
        self.res_scale = Scale(length)
        self.activation = activation()

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        gate, content, base = self.activation(self.uv(self.ln(values))).split(self.lengths, dim=2)
        query = base * self.gamma[0] + self.beta[0]
        key = base * self.gamma[1] + self.beta[1]
        similarity = query @ key.transpose(1, 2) / math.sqrt(self.lengths[2])
        weights = torch.relu(similarity).square()
        return self.res_scale(values) + self.o(gate * (weights @ content))


class RTMCCHead(nn.Module):
    """Features (n, C, h, w) to logits over bins: x (n, K, bins) and y (n, K, bins)."""

    outputs = ("x", "y")

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.bodyparts = int(config["out_channels"])
        self.input_size: tuple[int, int] = (int(config["input_size"][0]), int(config["input_size"][1]))
        self.split_ratio = float(config["simcc_split_ratio"])
        self.predictor = dict(config["predictor"])
        gau, kernel = config["gau_cfg"], int(config["final_layer_kernel_size"])
        hidden = int(gau["hidden_dims"])
        cells = math.prod(int(length) for length in config["in_featuremap_size"])
        width, height = (int(length * self.split_ratio) for length in self.input_size)
        self.final_layer = nn.Conv2d(int(config["in_channels"]), self.bodyparts, kernel, padding=kernel // 2)
        self.mlp = nn.Sequential(ScaleNorm(cells), nn.Linear(cells, hidden, bias=False))
        inner = int(hidden * gau["expansion_factor"])
        self.gau = GatedAttentionUnit(hidden, inner, int(gau["s"]), ACTIVATIONS[gau["act_fn"]])
        self.cls_x = nn.Linear(hidden, width, bias=False)
        self.cls_y = nn.Linear(hidden, height, bias=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        vectors = self.gau(self.mlp(self.final_layer(features).flatten(2)))
        return self.cls_x(vectors), self.cls_y(vectors)

    def fields(self, backbone_stride: float, config: Mapping[str, Any]) -> dict[str, Any]:
        """Entries of model.yaml that this head decides."""
        return {
            "decoder": "simcc",
            "outputs": list(self.outputs),
            "stride": 1.0 / self.split_ratio,
            "locref_stdev": 0.0,
            "activation": "none",
            "training_size": list(self.input_size),
            "simcc": {
                "split_ratio": float(self.predictor.get("simcc_split_ratio", 2.0)),
                "temperature": _temperature(self.predictor),
                "softmax": bool(self.predictor.get("apply_softmax", True)),
            },
        }

    def decode(
        self, maps: dict[str, npt.NDArray[Any]], fields: Mapping[str, Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Poses (n, 1, K, 3) in px of the network's input, and which of them are ties."""
        return decode_simcc(maps["x"], maps["y"], **fields["simcc"])


def build_rtmcc_head(config: Mapping[str, Any]) -> nn.Module:
    """The head that a DeepLabCut config describes.

    Raises
    ------
    ModelError
        It has a part that trained RTMPose networks of DeepLabCut do not have.
    """
    gau = config["gau_cfg"]
    for key in ("use_rel_bias", "pos_enc"):
        if gau.get(key):
            raise ModelError(f"head RTMCCHead: gau_cfg.{key} is {gau[key]!r}; supported: false")
    if gau["act_fn"] not in ACTIVATIONS:
        raise ModelError(
            f"head RTMCCHead: gau_cfg.act_fn is {gau['act_fn']!r}; supported: {', '.join(ACTIVATIONS)}"
        )
    if config["predictor"].get("normalize_outputs"):
        raise ModelError("head RTMCCHead: predictor.normalize_outputs is true; supported: false")
    return RTMCCHead(config)


def _temperature(predictor: Mapping[str, Any]) -> float:
    """What the logits are multiplied by: sigma * decode_beta, the same for both axes."""
    sigma = predictor.get("sigma", 6.0)
    both = {float(value) for value in (sigma if isinstance(sigma, (list, tuple)) else [sigma])}
    if len(both) != 1:
        raise ModelError(f"head RTMCCHead: predictor.sigma is {sigma}; supported: the same for x and y")
    return both.pop() * float(predictor.get("decode_beta", 150.0))
