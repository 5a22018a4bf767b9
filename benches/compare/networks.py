"""Small torch networks beside DeepLabCut's own, for every environment: needs torch alone.

Each is a backbone in DeepLabCut's sense: a module with `stride`, from (n, 3, h, w) to features. Put into the
registries of DeepLabCut, DeepLabCut-live and `fastpose import`, they run through all that these tools do with
a network of their own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["BACKBONES", "BenchMobileNetV2", "BenchOpenField", "BenchUNet"]


def _unit(inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU6."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    )


def _pair(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()),
    )


class BenchUNet(nn.Module):
    """U-Net of Ronneberger et al. 2015 as SLEAP uses it: 16 filters, 1.5 times as many at each of four steps
    down, back up to stride 4; no normalisation. Sides are multiples of 16."""

    stride = 4
    channels = 36

    def __init__(self, **_unused: Any) -> None:
        super().__init__()
        widths = (16, 24, 36, 54)
        self.down = nn.ModuleList(map(_pair, (3, *widths[:-1]), widths))
        self.middle = _pair(54, 81)
        self.up = nn.ModuleList([_pair(81 + 54, 54), _pair(54 + 36, 36)])
        self.pool, self.enlarge = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, 36, h / 4, w / 4)."""
        skipped = []
        for block in self.down:
            skipped.append(block(x))
            x = self.pool(skipped[-1])
        x = self.middle(x)
        for block, skip in zip(self.up, reversed(skipped), strict=False):
            x = block(torch.cat([self.enlarge(x), skip], 1))
        return x


class _Inverted(nn.Module):
    """Inverted residual: widen, filter each channel, narrow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = inputs * expansion
        widen = [_unit(inputs, inside, 1)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen,
            _unit(inside, inside, stride=stride, groups=inside),
            nn.Conv2d(inside, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class BenchMobileNetV2(nn.Module):
    """MobileNetV2 (Sandler et al. 2018) of half width, kept at stride 16 as in DeepLabCut 2."""

    stride = 16
    channels = 160

    def __init__(self, **_unused: Any) -> None:
        super().__init__()
        stages = ((1, 8, 1, 1), (6, 16, 2, 2), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1), (6, 80, 3, 1))
        layers: list[nn.Module] = [_unit(3, 16, stride=2)]
        channels = 16
        for expansion, width, count, stride in stages:
            for index in range(count):
                layers.append(_Inverted(channels, width, stride if index == 0 else 1, expansion))
                channels = width
        layers.append(_Inverted(channels, self.channels, 1, 6))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, 160, h / 16, w / 16)."""
        y: Tensor = self.layers(x)
        return y


class _Layer(nn.Module):
    """A convolution with ReLU, added to its input where the shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1, kernel: int = 3
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        y = torch.relu(self.conv(x))
        return x + y if self.residual else y


class BenchOpenField(nn.Module):
    """The network of models/openfield up to its heads, batch norms folded, as eager torch runs it.

    Takes the grey frame that DeepLabCut-live has made three equal channels of, 0-1.
    """

    stride = 8
    channels = 80

    def __init__(self, **_unused: Any) -> None:
        super().__init__()
        fine = ((1, 16, 2), (16, 24, 2), (24, 24), (24, 48, 2), (48, 48), (48, 48))
        coarse = ((48, 80, 2), (80, 80), (80, 80, 1, 2), (80, 80), (80, 80), (80, 48, 1, 1, 1))
        self.fine = nn.Sequential(*(_Layer(*each) for each in fine))
        self.coarse = nn.Sequential(*(_Layer(*each) for each in coarse))
        self.merge = nn.Sequential(_Layer(48, 48), _Layer(48, 80, 1, 1, 1))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, 80, h / 8, w / 8)."""
        fine = self.fine(x[:, :1] * (255.0 / 64.0) - 2.0)
        context = self.up(self.coarse(fine))[:, :, : fine.shape[2], : fine.shape[3]]
        merged: Tensor = self.merge(fine + context)
        return merged


BACKBONES = {each.__name__: each for each in (BenchUNet, BenchMobileNetV2, BenchOpenField)}
"""By the name that a config gives as ``model.backbone.type``."""
