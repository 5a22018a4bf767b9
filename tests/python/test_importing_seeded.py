"""Weights and frames from a seed: the same bits whatever the order and the machine."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from fastpose.importing.seeded import seeded_frames, seeded_tensor, seeded_tensors

torch = pytest.importorskip("torch", reason="needs torch: pip install torch")


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def test_a_tensor_depends_on_its_name_and_the_seed_alone() -> None:
    shapes = {"a.weight": (4, 3, 3, 3), "b.weight": (4, 3, 3, 3), "b.bias": (4,)}
    forwards = seeded_tensors(shapes, 1)
    backwards = seeded_tensors(dict(reversed(shapes.items())), 1)
    assert all(np.array_equal(forwards[name], backwards[name]) for name in shapes)
    assert not np.array_equal(forwards["a.weight"], forwards["b.weight"])
    assert not np.array_equal(forwards["a.weight"], seeded_tensor("a.weight", (4, 3, 3, 3), 2))


def test_tensors_and_frames_have_the_same_bits_everywhere() -> None:
    assert digest(seeded_tensor("backbone.model.conv1.weight", (64, 3, 7, 7), 7)) == "06e178d435a90fcd"
    assert digest(seeded_frames(2, 40, 56, 7)) == "f8b3d7e089a3939e"


def test_frames_fill_the_range_of_a_camera() -> None:
    frames = seeded_frames(2, 96, 128, 7)
    assert frames.shape == (2, 96, 128, 3) and frames.dtype == np.uint8
    assert frames.min() < 20 and frames.max() > 235 and not np.array_equal(frames[0], frames[1])


@pytest.mark.parametrize("layer", ["conv", "deconv", "linear"])
def test_scaled_layer_has_the_mean_and_deviation_asked_for(layer: str) -> None:
    from fastpose.importing.seeded import fill, scale_layer

    nn = torch.nn
    model = {"conv": nn.Conv2d(8, 3, 3), "deconv": nn.ConvTranspose2d(8, 3, 3, 2), "linear": nn.Linear(8, 3)}[
        layer
    ]
    fill(model, 3)
    axis = 2 if layer == "linear" else 1
    values = torch.from_numpy(seeded_tensor("x.weight", (1, 12, 8) if axis == 2 else (1, 8, 12, 12), 3))
    scale_layer(model, model(values))
    output = model(values).movedim(axis, 0).flatten(1)
    assert torch.allclose(output.mean(1), torch.tensor(0.2), atol=1e-5)
    assert torch.allclose(output.std(1), torch.tensor(0.12), atol=1e-5)


def test_settled_norms_give_outputs_of_mean_0_and_deviation_1() -> None:
    from fastpose.importing.seeded import fill, settle_norms

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))
    fill(model, 3)
    values = torch.from_numpy(seeded_tensor("x.weight", (1, 3, 20, 20), 3)) * 5
    settle_norms(model, lambda: model(values))
    output = (model(values) - model[1].bias[:, None, None]) / model[1].weight[:, None, None]
    assert not model.training
    assert torch.allclose(output.mean((0, 2, 3)), torch.tensor(0.0), atol=1e-4)
    assert torch.allclose(output.std((0, 2, 3)), torch.tensor(1.0), atol=1e-2)


def change(model: Any, by: float) -> None:
    """Change each weight by a part of itself, as rounding does, the same on every machine."""
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 1 + by * torch.randn(weight.shape, generator=random, dtype=torch.float64)


def test_branches_that_are_weakened_carry_fewer_errors_of_rounding_on() -> None:
    from fastpose.importing.networks.resnet import ResNet, group_norm
    from fastpose.importing.seeded import seed_pose_model

    frames = seeded_frames(1, 64, 64, 7)
    tensor = torch.from_numpy(seeded_tensor("x.weight", (1, 3, 64, 64), 3)).double()
    errors = []
    for gain in (1.0, 0.25):
        network = ResNet((3, 4, 23, 3), group_norm, 16)
        seed_pose_model(network, frames, 3, branch_gain=gain)
        network.double()
        with torch.inference_mode():
            exact = network(tensor)
            change(network, by=1e-6)
            errors.append(float((network(tensor) - exact).std() / exact.std()))
    assert errors[1] < errors[0] / 2
