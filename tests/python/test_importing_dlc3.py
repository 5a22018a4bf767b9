"""Networks of DeepLabCut 3 become packages that give the same poses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="importing needs torch: pip install 'fastpose-rig[import]'")
pytest.importorskip("onnx", reason="importing needs onnx: pip install 'fastpose-rig[import]'")

import torch

import dlc3_files as dlc3
from fastpose import load_model
from fastpose.errors import ModelError
from fastpose.importing import Options, import_model
from fastpose.verify import verify

MAX_PX, MAX_LIKELIHOOD = 0.02, 1e-4


def imported(tmp_path: Path, config: dict[str, Any], **changes: Any) -> Path:
    source = dlc3.write_export(tmp_path / "DLC_mouse.pt", config, **changes)
    import_model(source, tmp_path / "package", Options(frames=dlc3.write_frames(tmp_path / "frames")))
    return tmp_path / "package"


def reference_of(package: Path) -> dict[str, Any]:
    with np.load(package / "reference.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def refusal(tmp_path: Path, config: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(ModelError) as info:
        imported(tmp_path, config, **changes)
    assert len(info.value.lines) == 1
    assert not (tmp_path / "package").exists()
    return str(info.value)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("net", dlc3.BACKBONES)
def test_every_architecture_gives_the_poses_of_torch(tmp_path: Path, net: str) -> None:
    package = imported(tmp_path, dlc3.config(net))
    cell = verify(package, precisions=["fp32"]).cells["cpu", "fp32"]
    assert cell["keypoints"] + cell["ties"] == 3 * 4  # seeded heatmaps have their maxima over 0.1
    assert cell["ties"] <= 1
    assert cell["max_px"] <= MAX_PX
    assert cell["max_likelihood"] <= MAX_LIKELIHOOD


def test_the_reference_is_what_deeplabcut_computes(tmp_path: Path) -> None:
    """Maps of the network, decoded again by the formula written out."""
    config = dlc3.config("resnet_50")
    reference = reference_of(imported(tmp_path, config))
    network = _network(config)
    for frame, pose in zip(reference["frames"], reference["poses"], strict=True):
        tensor = (frame / 255 - dlc3.MEAN) / dlc3.STD
        with torch.inference_mode():
            heatmap, locref = network(torch.tensor(tensor, dtype=torch.float32).permute(2, 0, 1)[None])
        for part in range(4):
            row, column = np.unravel_index(int(heatmap[0, part].argmax()), heatmap.shape[2:])
            x = column * 8 + 4 + float(locref[0, 2 * part, row, column]) * 7.2801
            y = row * 8 + 4 + float(locref[0, 2 * part + 1, row, column]) * 7.2801
            score = min(max(float(heatmap[0, part].max()), 0), 1)
            np.testing.assert_allclose(pose[0, part], (x, y, score), atol=1e-3)


def _network(config: dict[str, Any]) -> torch.nn.Module:
    from fastpose.importing.dlc3_config import read_config
    from fastpose.importing.networks.pose_network import build_pose_network

    return build_pose_network(read_config(config, "test"), dlc3.weights(config), "test")


def test_the_description(tmp_path: Path) -> None:
    content = yaml.safe_load((imported(tmp_path, dlc3.config("resnet_50")) / "model.yaml").read_text())
    assert content["name"] == "DLC_mouse"
    assert content["bodyparts"] == list(dlc3.BODYPARTS)
    assert (content["stride"], content["locref_stdev"], content["activation"]) == (8.0, 7.2801, "clip")
    assert content["normalisation"]["scale"][0] == pytest.approx(1 / (255 * 0.229))
    assert content["normalisation"]["offset"][2] == pytest.approx(-0.406 / 0.225)
    assert content["source"]["tool"] == "DeepLabCut 3"
    assert content["source"]["architecture"] == "resnet50_gn (output stride 16), HeatmapHead"


def test_a_heatmap_alone_with_sigmoid(tmp_path: Path) -> None:
    config = dlc3.config("hrnet_w18", locref=False, deconv=False)
    config["model"]["heads"]["bodypart"]["predictor"]["apply_sigmoid"] = True
    package = imported(tmp_path, config)
    content = yaml.safe_load((package / "model.yaml").read_text())
    assert (content["stride"], content["outputs"], content["activation"]) == (4.0, ["heatmap"], "sigmoid")
    assert content["padding"] == {"multiple": 32, "mode": "reflect"}
    assert verify(package, precisions=["fp32"]).cells["cpu", "fp32"]["max_px"] <= MAX_PX


def test_unique_bodyparts_stand_behind_the_others(tmp_path: Path) -> None:
    package = imported(tmp_path, dlc3.config("resnet_50", unique=("corner", "lamp")))
    content = yaml.safe_load((package / "model.yaml").read_text())
    assert content["bodyparts"] == [*dlc3.BODYPARTS, "corner", "lamp"]
    assert content["source"]["unique_bodyparts"] == ["corner", "lamp"]
    assert reference_of(package)["poses"].shape == (3, 1, 6, 3)
    assert verify(package, precisions=["fp32"]).cells["cpu", "fp32"]["max_px"] <= MAX_PX


def test_a_bgr_network_sees_the_channels_the_other_way_round(tmp_path: Path) -> None:
    config = dlc3.config("resnet_50")
    tensor = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = _network(config)(tensor)[0]
        config["data"]["colormode"] = "BGR"
        torch.testing.assert_close(_network(config)(tensor.flip(1))[0], expected)
    package = imported(tmp_path, config)
    content = yaml.safe_load((package / "model.yaml").read_text())
    assert content["normalisation"]["scale"][2] == pytest.approx(1 / (255 * 0.229))
    assert verify(package, precisions=["fp32"]).cells["cpu", "fp32"]["max_px"] <= MAX_PX


def test_frames_of_another_size_than_the_traced_one(tmp_path: Path) -> None:
    config = dlc3.config("resnet_50")
    package = imported(tmp_path, config)
    frame = np.asarray(dlc3.frames(1)[0])[:101, :117].copy()
    tensor = torch.tensor((frame / 255 - dlc3.MEAN) / dlc3.STD, dtype=torch.float32).permute(2, 0, 1)[None]
    network = _network(config)
    with torch.inference_mode():
        maps = dict(zip(("heatmap", "locref"), (m.numpy() for m in network(tensor)), strict=True))
    expected, _ = network.decode(maps)
    found = np.asarray(load_model(package, precision="fp32").estimate(frame))
    np.testing.assert_allclose(found, expected[0, 0], atol=MAX_PX)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: c["model"]["backbone"].update(type="CSPNeXt9"), "(backbone CSPNeXt9); supported: "),
        (lambda c: c["model"]["backbone"].update(model_name="resnet18"), "model_name is 'resnet18'; "),
        (lambda c: c["model"]["backbone"].update(output_stride=4), "output_stride is 4; allowed: 8, 16, 32"),
        (lambda c: c["model"]["heads"]["bodypart"].update(type="DEKRHead"), "(head DEKRHead); supported: "),
        (lambda c: c["model"]["heads"].update(identity={"type": "HeatmapHead"}), "(head 'identity')"),
        (lambda c: c.update(method="ctd"), "method ctd (conditional top-down)"),
        (lambda c: c.update(method="xx"), "method is 'xx'; allowed: bu, td, ctd"),
        (lambda c: c.pop("metadata"), "metadata is missing; allowed: the pytorch_config"),
        (lambda c: c["metadata"].update(bodyparts=[]), "metadata.bodyparts is empty"),
        (lambda c: c["metadata"]["bodyparts"].pop(), "head bodypart has 4 channels, metadata names 3"),
        (lambda c: c["metadata"].update(unique_bodyparts=["x"]), "no head unique_bodypart"),
        (lambda c: c["data"].update(colormode="grey"), "data.colormode is 'GREY'; allowed: RGB, BGR"),
        (lambda c: c["data"]["inference"].update(resize={"width": 1}), "data.inference.resize changes"),
        (
            lambda c: c["data"]["inference"].update(auto_padding={"pad_width_divisor": 32}),
            "allowed: equal pad_width_divisor",
        ),
        (
            lambda c: c["model"]["heads"]["bodypart"]["locref_config"].update(channels=[2048, 6]),
            "locref_config gives 6 channels, heatmap_config 4",
        ),
        (
            lambda c: c["model"]["heads"]["bodypart"].update(locref_config=None),
            "location_refinement is true, but there is no locref_config",
        ),
        (
            lambda c: c["model"]["heads"]["bodypart"]["heatmap_config"].pop("strides"),
            "heatmap_config cannot be used (KeyError: 'strides')",
        ),
    ],
)  # fmt: skip
def test_configs_that_are_refused(tmp_path: Path, change: Any, text: str) -> None:
    config = dlc3.config("resnet_50")
    change(config)
    assert text in refusal(tmp_path, config, pose={})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda w: w.pop("backbone.model.conv1.weight"),
            "1 weights are missing, the first backbone",
        ),
        (
            lambda w: w.update(stranger=torch.zeros(1)),
            "1 weights are not in the network",
        ),
        (
            lambda w: w.update({"backbone.model.conv1.weight": torch.zeros(64, 1, 7, 7)}),
            "weight backbone.model.conv1.weight has shape [64, 1, 7, 7], the config needs [64, 3, 7, 7]",
        ),
        (lambda w: w.update({"backbone.model.conv1.weight": 3}), "1 weights are missing"),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, change: Any, text: str) -> None:
    config = dlc3.config("resnet_50")
    state = dict(_network(config).state_dict())
    change(state)
    assert text in refusal(tmp_path, config, pose=state)
