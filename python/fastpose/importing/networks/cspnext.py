"""CSPNeXt, the backbone of RTMPose (Lyu et al. 2022, arXiv 2212.07784), with DeepLabCut's parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, cat, nn

from fastpose.errors import ModelError

__all__ = ["CSPNeXt", "build_cspnext"]

STEM_CHANNELS = 64
STAGES = ((128, 3, True), (256, 6, True), (512, 6, True), (1024, 3, False))
"""Of each stage: channels, blocks, and whether a block has a shortcut; the last one pools in a pyramid."""
POOLS = (5, 9, 13)
ACTIVATIONS = {"SiLU": nn.SiLU, "ReLU": nn.ReLU}


class ConvNorm(nn.Module):
    """Convolution, batch norm, activation: (n, inputs, h, w) to (n, outputs, h/stride, w/stride)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        activation: type[nn.Module],
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activate = activation()

    def forward(self, values: Tensor) -> Tensor:
        """See the class."""
        return self.activate(self.norm(self.conv(values)))


class SeparableConv(nn.Module):
    """A 5x5 convolution per channel, then one over the channels."""

    def __init__(self, channels: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.depthwise_conv = ConvNorm(channels, channels, 5, activation=activation, groups=channels)
        self.pointwise_conv = ConvNorm(channels, channels, activation=activation)

    def forward(self, values: Tensor) -> Tensor:
        """(n, channels, h, w) to the same shape."""
        return self.pointwise_conv(self.depthwise_conv(values))


class Block(nn.Module):
    """A 3x3 and a separable 5x5 convolution, with a shortcut around both where asked for."""

    def __init__(self, channels: int, shortcut: bool, activation: type[nn.Module]) -> None:
        super().__init__()
        self.conv1 = ConvNorm(channels, channels, 3, activation=activation)
        self.conv2 = SeparableConv(channels, activation)
        self.shortcut = shortcut

    def forward(self, values: Tensor) -> Tensor:
        """(n, channels, h, w) to the same shape."""
        out = self.conv2(self.conv1(values))
        return out + values if self.shortcut else out


class ChannelAttention(nn.Module):
    """Each channel times a factor in 0..1 that the means of all channels give."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)
        self.act = nn.Hardsigmoid()

    def forward(self, values: Tensor) -> Tensor:
        """(n, channels, h, w) to the same shape."""
        return values * self.act(self.fc(values.mean((2, 3), keepdim=True)))


class CrossStage(nn.Module):
    """Half of the channels runs through blocks, the other half past them."""

    def __init__(self, channels: int, blocks: int, shortcut: bool, activation: type[nn.Module]) -> None:
        super().__init__()
        half = channels // 2
        self.main_conv = ConvNorm(channels, half, activation=activation)
        self.short_conv = ConvNorm(channels, half, activation=activation)
        self.final_conv = ConvNorm(2 * half, channels, activation=activation)
        self.blocks = nn.Sequential(*(Block(half, shortcut, activation) for _ in range(blocks)))
        self.attention = ChannelAttention(2 * half)

    def forward(self, values: Tensor) -> Tensor:
        """(n, channels, h, w) to the same shape."""
        both = cat((self.blocks(self.main_conv(values)), self.short_conv(values)), 1)
        return self.final_conv(self.attention(both))


class PyramidPool(nn.Module):
    """Maxima over three windows beside the values themselves (He et al. 2015, spatial pyramid pooling)."""

    def __init__(self, channels: int, activation: type[nn.Module]) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = ConvNorm(channels, half, activation=activation)
        self.poolings = nn.ModuleList(nn.MaxPool2d(size, 1, size // 2) for size in POOLS)
        self.conv2 = ConvNorm(half * (1 + len(POOLS)), channels, activation=activation)

    def forward(self, values: Tensor) -> Tensor:
        """(n, channels, h, w) to the same shape."""
        inner = self.conv1(values)
        return self.conv2(cat((inner, *(pool(inner) for pool in self.poolings)), 1))


class CSPNeXt(nn.Module):
    """Frames (n, 3, h, w) to features (n, 1024 * widen, h/32, w/32).

    Parameters
    ----------
    deepen, widen : float
        Factors on the number of blocks and of channels.
    activation : type of nn.Module
    """

    stride = 32.0

    def __init__(self, deepen: float, widen: float, activation: type[nn.Module]) -> None:
        super().__init__()
        wide = int(STEM_CHANNELS * widen)
        thin = int(STEM_CHANNELS * widen // 2)
        self.stem = nn.Sequential(
            ConvNorm(3, thin, 3, stride=2, activation=activation),
            ConvNorm(thin, thin, 3, activation=activation),
            ConvNorm(thin, wide, 3, activation=activation),
        )
        self.stages: list[str] = []
        for number, (channels, blocks, shortcut) in enumerate(STAGES, start=1):
            out = int(channels * widen)
            layers: list[nn.Module] = [ConvNorm(wide, out, 3, stride=2, activation=activation)]
            if number == len(STAGES):
                layers.append(PyramidPool(out, activation))
            layers.append(CrossStage(out, max(round(blocks * deepen), 1), shortcut, activation))
            self.stages.append(f"stage{number}")
            self.add_module(self.stages[-1], nn.Sequential(*layers))
            wide = out

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        values = self.stem(frames)
        for stage in self.stages:
            values = self.get_submodule(stage)(values)
        return values


def build_cspnext(config: Mapping[str, Any]) -> nn.Module:
    """The backbone that `model.backbone` of a DeepLabCut config describes.

    Raises
    ------
    ModelError
        It asks for another arrangement of stages than the five of cspnext_s, _m and _x.
    """
    fixed = {"arch": "P5", "expand_ratio": 0.5, "channel_attention": True, "out_indices": -1}
    for key, value in fixed.items():
        if config.get(key, value) != value:
            raise ModelError(f"backbone CSPNeXt: {key} is {config[key]!r}; supported: {value!r}")
    activation = config.get("activation_fn", "SiLU")
    if activation not in ACTIVATIONS:
        raise ModelError(
            f"backbone CSPNeXt: activation_fn is {activation!r}; supported: {', '.join(ACTIVATIONS)}"
        )
    deepen, widen = float(config.get("deepen_factor", 0.67)), float(config.get("widen_factor", 0.75))
    return CSPNeXt(deepen, widen, ACTIVATIONS[activation])
