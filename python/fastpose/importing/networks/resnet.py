"""ResNet with bottleneck blocks (He et al. 2016, stride on the 3x3), parameters named as timm names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from fastpose.errors import ModelError

__all__ = ["RESNETS", "Bottleneck", "ResNet", "ResNetBackbone", "build_resnet"]

Norm = Callable[[int], nn.Module]


def group_norm(channels: int) -> nn.Module:
    """Group normalisation with 32 groups."""
    return nn.GroupNorm(32, channels)


RESNETS: dict[str, tuple[tuple[int, ...], Norm]] = {
    "resnet50": ((3, 4, 6, 3), nn.BatchNorm2d),
    "resnet50_gn": ((3, 4, 6, 3), group_norm),
    "resnet101": ((3, 4, 23, 3), nn.BatchNorm2d),
}
"""Name: blocks per stage, normalisation."""
STRIDES = (8, 16, 32)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions beside a shortcut; four times `width` channels out."""

    expansion = 4

    def __init__(
        self,
        channels: int,
        width: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        out = width * self.expansion
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = norm(width)
        self.conv2 = nn.Conv2d(
            width, width, 3, stride=stride, padding=dilation, dilation=dilation, bias=False
        )
        self.bn2 = norm(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = norm(out)
        self.relu = nn.ReLU()
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), norm(out))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, 4 width, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet(nn.Module):
    """The network up to its last features, (n, 3, H, W) to (n, 2048, H / stride, W / stride)."""

    def __init__(self, blocks: tuple[int, ...], norm: Norm, output_stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = norm(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels, reached, dilation = 64, 4, 1
        for index, count in enumerate(blocks):
            first_dilation, stride = dilation, 1
            if index > 0 and reached < output_stride:
                stride, reached = 2, 2 * reached
            elif index > 0:
                dilation *= 2
            width = 64 << index
            stage = [Bottleneck(channels, width, stride=stride, dilation=first_dilation, norm=norm)]
            channels = 4 * width
            stage += [Bottleneck(channels, width, dilation=dilation, norm=norm) for _ in range(count - 1)]
            self.add_module(f"layer{index + 1}", nn.Sequential(*stage))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(self, name)(x)
        return x


class ResNetBackbone(nn.Module):
    """A ResNet as DeepLabCut 3 wraps it."""

    def __init__(self, model_name: str, output_stride: int) -> None:
        super().__init__()
        self.stride = float(output_stride)
        self.model = ResNet(*RESNETS[model_name], output_stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features; see `ResNet`."""
        return self.model(x)


def build_resnet(config: Mapping[str, Any]) -> nn.Module:
    """The backbone that ``model.backbone`` of a DeepLabCut 3 config describes.

    Raises
    ------
    ModelError
        Another ResNet or stride than those of `RESNETS` and `STRIDES`.
    """
    name, stride = str(config.get("model_name", "resnet50")), config.get("output_stride", 32)
    if name not in RESNETS:
        raise ModelError(f"backbone model_name is {name!r}; allowed: {', '.join(RESNETS)}")
    if stride not in STRIDES:
        raise ModelError(f"backbone output_stride is {stride!r}; allowed: {', '.join(map(str, STRIDES))}")
    return ResNetBackbone(name, stride)
