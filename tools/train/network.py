"""The small stride-8 network (heatmap logits and locref from one grey channel) and its export to ONNX."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDE = 8  # input pixels per map cell
LOCREF_STDEV = 7.2801  # locref maps hold pixels divided by this, the convention of DeepLabCut
SCALE, OFFSET = 1.0 / 64.0, -2.0  # network tensor = pixel * SCALE + OFFSET; both exact in bf16


class Unit(nn.Module):
    """Convolution, batch norm and ReLU; added to its input where the shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1, kernel: int = 3
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv: nn.Module = nn.Conv2d(
            inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False
        )
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm(self.conv(x)))
        return x + y if self.residual else y


class PoseNet(nn.Module):
    """Encoder to stride 16, one step back up to stride 8, two linear heads.

    Full-resolution layers are cheap on purpose: most of the work is done at strides 8 and 16, where the
    receptive field grows to 247 px, so that one cell sees a whole mouse.
    """

    def __init__(self, bodyparts: int, widths: tuple[int, int, int, int] = (16, 24, 48, 80)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.fine = nn.Sequential(
            Unit(1, a, stride=2),
            Unit(a, b, stride=2),
            Unit(b, b),
            Unit(b, c, stride=2),
            Unit(c, c),
            Unit(c, c),
        )
        self.coarse = nn.Sequential(
            Unit(c, d, stride=2),
            Unit(d, d),
            Unit(d, d, dilation=2),
            Unit(d, d),
            Unit(d, d),
            Unit(d, c, kernel=1),
        )
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = nn.Sequential(Unit(c, c), Unit(c, d, kernel=1))
        self.heatmap = nn.Conv2d(d, bodyparts, 1)
        self.locref = nn.Conv2d(d, 2 * bodyparts, 1)
        with torch.no_grad():
            self.heatmap.get_parameter("bias").fill_(-4.0)  # almost every cell is background

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of a batch: x (N, 1, H, W) -> heatmap (N, K, H/8, W/8) logits, locref (N, 2K, H/8, W/8)."""
        fine = self.fine(x)
        context = self.up(self.coarse(fine))[:, :, : fine.shape[2], : fine.shape[3]]
        merged = self.merge(fine + context)
        return self.heatmap(merged), self.locref(merged)


def parameter_count(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def multiply_adds(network: nn.Module, height: int = 480, width: int = 640) -> int:
    """Multiply-adds of the convolutions for one frame of height x width."""
    total = 0
    network = copy.deepcopy(network).eval()

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += module.weight.numel() * output.shape[2] * output.shape[3]

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 1, height, width))
    return total


def folded(network: PoseNet) -> PoseNet:
    """A copy for inference with every batch norm folded into its convolution."""
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, Unit):
            assert isinstance(module.conv, nn.Conv2d) and isinstance(module.norm, nn.BatchNorm2d)
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    return network


def with_bodyparts(weights: dict[str, Tensor], chosen: list[int]) -> dict[str, Tensor]:
    """The weights of a network for other bodyparts: its heads reduced to the chosen ones, in that order."""
    pairs = [channel for k in chosen for channel in (2 * k, 2 * k + 1)]
    reduced = dict(weights)
    for kind in ("weight", "bias"):
        reduced[f"heatmap.{kind}"] = weights[f"heatmap.{kind}"][chosen]
        reduced[f"locref.{kind}"] = weights[f"locref.{kind}"][pairs]
    return reduced


def export_onnx(network: PoseNet, path: Path) -> None:
    """Write the folded network with dynamic height and width: input -> heatmap, locref."""
    maps = {2: "rows", 3: "columns"}
    torch.onnx.export(
        folded(network),
        (torch.zeros(1, 1, 96, 128),),
        str(path),
        input_names=["input"],
        output_names=["heatmap", "locref"],
        dynamic_axes={"input": {2: "height", 3: "width"}, "heatmap": maps, "locref": maps},
        opset_version=17,
        dynamo=False,
    )
