"""DLCRNet (Lauer et al. 2022): a ResNet whose last features are joined by two early ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fastpose.importing.networks.resnet import ResNetBackbone, build_resnet

__all__ = ["DLCRNet", "build_dlcrnet", "resized"]


class DLCRNet(nn.Module):
    """Frames (n, 3, h, w) to features (n, 128 + 128 + 2048, h/stride, w/stride).

    What the third blocks of the first two stages give is convolved down (without padding) and resized to the
    last features' size.
    """

    def __init__(self, resnet: ResNetBackbone) -> None:
        super().__init__()
        self.model = resnet.model
        self.stride = resnet.stride
        self.conv_block1 = _block(512, 512, 3)
        self.conv_block2 = _block(512, 128, 1)
        self.conv_block3 = _block(256, 256, 3)
        self.conv_block4 = _block(256, 256, 3)
        self.conv_block5 = _block(256, 128, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """See the class."""
        net = self.model
        early = net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(frames)))))
        middle = net.layer2[:3](early)
        last = net.layer4(net.layer3(net.layer2[3:](middle)))
        side_1 = self.conv_block5(self.conv_block4(self.conv_block3(early)))
        side_2 = self.conv_block2(self.conv_block1(middle))
        return torch.cat((resized(side_1, last), resized(side_2, last), last), 1)


def _block(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """A convolution without padding, of stride 2 unless it is 1x1, with batch norm and ReLU."""
    stride = 1 if kernel == 1 else 2
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride), nn.BatchNorm2d(outputs), nn.ReLU())


def resized(values: Tensor, like: Tensor) -> Tensor:
    """(n, C, h, w) resampled to height and width of `like`: bilinear with antialias, half-pixel centres.

    Written as two matrix products, as exporters have no operation for it; the same weights as
    `torch.nn.functional.interpolate(..., mode="bilinear", antialias=True)`.
    """
    rows = _weights(values.shape[2], like.shape[2], values)
    columns = _weights(values.shape[3], like.shape[3], values)
    return rows @ (values @ columns.transpose(0, 1))


def _weights(source: int, target: int, like: Tensor) -> Tensor:
    """(target, source): a triangle around each target's place, as wide as the coarser of the two grids."""
    step = torch.ones((), dtype=like.dtype) * source / target
    places = (torch.arange(target, dtype=like.dtype) + 0.5) * step
    centres = torch.arange(source, dtype=like.dtype) + 0.5
    distance = (centres[None] - places[:, None]).abs() / step.clamp(min=1.0)
    triangle = (1.0 - distance).clamp(min=0.0)
    return triangle / triangle.sum(1, keepdim=True)


def build_dlcrnet(config: Mapping[str, Any]) -> nn.Module:
    """The backbone that `model.backbone` of a DeepLabCut config describes."""
    resnet = build_resnet(config)
    assert isinstance(resnet, ResNetBackbone)
    return DLCRNet(resnet)
