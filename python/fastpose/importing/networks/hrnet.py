"""HRNet (Wang et al. 2020): four branches of stride 4 to 32, parameters named as timm names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fastpose.errors import ModelError
from fastpose.importing.networks.resnet import Bottleneck

__all__ = ["HRNETS", "HRNet", "HRNetBackbone", "build_hrnet"]

HRNETS = {"hrnet_w18": 18, "hrnet_w32": 32, "hrnet_w48": 48}
"""Name: channels of the branch of stride 4."""
MODULES = {2: 1, 3: 4, 4: 3}  # stage (= number of branches): modules in it
BLOCKS = 4  # of a branch in a module


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, (n, channels, h, w) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + x)


def convolved(channels: int, out: int, *, stride: int, relu: bool) -> nn.Sequential:
    """3x3 convolution, batch normalisation, and a ReLU where asked for."""
    layers = [nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


def fusion(widths: list[int], source: int, target: int) -> nn.Module:
    """From one branch to another: nearest neighbour up, strided convolutions down."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(
            nn.Conv2d(widths[source], widths[target], 1, bias=False),
            nn.BatchNorm2d(widths[target]),
            nn.Upsample(scale_factor=float(2 ** (source - target)), mode="nearest"),
        )
    steps = target - source
    outs = [widths[target] if step == steps - 1 else widths[source] for step in range(steps)]
    return nn.Sequential(
        *(convolved(widths[source], out, stride=2, relu=step < steps - 1) for step, out in enumerate(outs))
    )


class HRModule(nn.Module):
    """Blocks in every branch, then each branch becomes the sum of all."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        count = range(len(widths))
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width) for _ in range(BLOCKS))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(fusion(widths, source, target) for source in count) for target in count
        )
        self.relu = nn.ReLU()

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """One tensor a branch, to the same."""
        inner = [blocks(x) for blocks, x in zip(self.branches, branches, strict=True)]
        fused = []
        for layers in self.fuse_layers:
            total = layers[0](inner[0])
            for layer, x in zip(list(layers)[1:], inner[1:], strict=True):
                total = total + layer(x)
            fused.append(self.relu(total))
        return fused


class Stage(nn.Sequential):
    """Modules one after the other, on lists of branches."""

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """One tensor a branch, to the same."""
        for module in self:
            branches = module(branches)
        return branches


class HRNet(nn.Module):
    """(n, 3, H, W), H and W multiples of 32, to the branch of stride 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(Bottleneck(64, 64), *(Bottleneck(256, 64) for _ in range(3)))
        before = [256]
        for branches, modules in MODULES.items():
            widths = [width << branch for branch in range(branches)]
            self.add_module(f"transition{branches - 1}", _transition(before, widths))
            self.add_module(f"stage{branches}", Stage(*(HRModule(widths) for _ in range(modules))))
            before = widths

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer1(self.relu(self.bn2(self.conv2(x))))
        branches = [x]
        for count in MODULES:
            transition = getattr(self, f"transition{count - 1}")
            entered = [
                change(branches[min(index, len(branches) - 1)]) for index, change in enumerate(transition)
            ]
            branches = getattr(self, f"stage{count}")(entered)
        return branches[0]


def _transition(before: list[int], widths: list[int]) -> nn.ModuleList:
    """What makes the next stage's branches: the old ones, and a new one from the coarsest of them."""
    changes: list[nn.Module] = []
    for index, width in enumerate(widths):
        if index >= len(before):
            changes.append(nn.Sequential(convolved(before[-1], width, stride=2, relu=True)))
        elif before[index] == width:
            changes.append(nn.Identity())
        else:
            changes.append(convolved(before[index], width, stride=1, relu=True))
    return nn.ModuleList(changes)


class HRNetBackbone(nn.Module):
    """An HRNet as DeepLabCut 3 wraps it: the features of the finest branch."""

    stride = 4.0

    def __init__(self, model_name: str) -> None:
        super().__init__()
        self.model = HRNet(HRNETS[model_name])

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, width, H / 4, W / 4)."""
        return self.model(x)


def build_hrnet(config: Mapping[str, Any]) -> nn.Module:
    """The backbone that ``model.backbone`` of a DeepLabCut 3 config describes.

    Raises
    ------
    ModelError
        Another HRNet than those of `HRNETS`, or more than its finest branch.
    """
    name = str(config.get("model_name", "hrnet_w32"))
    if name not in HRNETS:
        raise ModelError(f"backbone model_name is {name!r}; allowed: {', '.join(HRNETS)}")
    for key in ("interpolate_branches", "increased_channel_count"):
        if config.get(key):
            raise ModelError(f"backbone {key} is true (a DEKR network); allowed: false")
    return HRNetBackbone(name)
