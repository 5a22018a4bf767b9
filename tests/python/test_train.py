"""The training tool: limits of the network, target maps, augmentation, and the packages it wrote."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [ROOT / "python" / "fastpose" / "models" / "simulated_mouse", ROOT / "models" / "openfield"]

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="module")
def tool():
    """The training tool's modules; it needs torch and OpenCV, which the package does not."""
    pytest.importorskip("torch", reason="the training tool needs PyTorch")
    pytest.importorskip("cv2", reason="the training tool needs OpenCV")
    from tools.train import augment, network, targets

    return augment, network, targets


def test_network_keeps_its_size_and_work(tool):
    _, network, _ = tool
    net = network.PoseNet(5)
    assert network.parameter_count(net) <= 500_000
    assert network.multiply_adds(net, 480, 640) <= 1_000_000_000


@pytest.mark.parametrize(("height", "width"), [(64, 64), (200, 328), (480, 640)])
def test_network_maps_have_an_eighth_of_the_frame(tool, height, width):
    import torch

    _, network, _ = tool
    with torch.no_grad():
        heatmap, locref = network.PoseNet(3).eval()(torch.zeros(1, 1, height, width))
    assert heatmap.shape == (1, 3, height // 8, width // 8)
    assert locref.shape == (1, 6, height // 8, width // 8)


def test_folded_network_says_the_same(tool):
    import torch

    _, network, _ = tool
    torch.manual_seed(0)
    net = network.PoseNet(2).train()
    for _ in range(3):
        net(torch.randn(2, 1, 64, 64))  # moves the running statistics away from 0 and 1
    frame = torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        for whole, short in zip(net.eval()(frame), network.folded(net)(frame), strict=True):
            torch.testing.assert_close(whole, short, rtol=1e-4, atol=1e-4)


def test_chosen_bodyparts_keep_their_maps(tool):
    import torch

    _, network, _ = tool
    five, two = network.PoseNet(5).eval(), network.PoseNet(2).eval()
    two.load_state_dict(network.with_bodyparts(five.state_dict(), [4, 1]))
    frame = torch.randn(1, 1, 64, 64)
    with torch.no_grad():
        (heatmap, locref), (fewer, offsets) = five(frame), two(frame)
    torch.testing.assert_close(fewer, heatmap[:, [4, 1]])
    torch.testing.assert_close(offsets, locref[:, [8, 9, 2, 3]])


def logits(heatmap):
    clipped = np.clip(heatmap, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def test_decoding_gives_back_what_was_encoded(tool):
    _, _, targets = tool
    rng = np.random.default_rng(3)
    for _ in range(20):
        keypoints = rng.uniform((4, 4), (636, 476), (6, 2)).astype(np.float32)
        heatmap, locref, near = targets.encode(keypoints, 60, 80)
        assert near.max(axis=(1, 2)).min() == 1
        pose = targets.decode(logits(heatmap), locref)
        np.testing.assert_allclose(pose[:, :2], keypoints, atol=1e-3)
        assert pose[:, 2].min() > 0.99


def test_a_label_on_a_cell_centre_has_no_offset(tool):
    _, _, targets = tool
    heatmap, locref, _ = targets.encode(np.array([[20.0, 12.0]], dtype=np.float32), 4, 4)
    assert np.unravel_index(heatmap[0].argmax(), (4, 4)) == (
        1,
        2,
    )  # centre at (2.5, 1.5) * 8 px
    np.testing.assert_array_equal(locref[:, 1, 2], 0)
    assert locref[0, 1, 1] == pytest.approx(8 / 7.2801)  # from the cell to its left, 8 px to the right
    assert locref[1, 0, 2] == pytest.approx(8 / 7.2801)  # from the cell above, 8 px down


def test_a_missing_label_is_in_no_map(tool):
    _, _, targets = tool
    keypoints = np.array([[np.nan, np.nan], [16.0, 16.0]], dtype=np.float32)
    heatmap, locref, near = targets.encode(keypoints, 8, 8)
    assert heatmap[0].max() == 0 and near[0].max() == 0
    assert np.isfinite(locref).all() and not locref[:2].any()
    assert heatmap[1].max() == 1


def dotted_frame(keypoints):
    """A dark frame with a distinct, smooth spot at each keypoint."""
    y, x = np.mgrid[0:480, 0:640]
    frame = np.zeros((480, 640))
    for k, (px, py) in enumerate(keypoints):
        frame += (250 - 60 * k) * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 3.0**2))
    return np.rint(frame).astype(np.uint8)


def centroid(image, near, reach=8):
    """Centre of mass of the pixels around a point."""
    x0, y0 = np.rint(near).astype(int)
    y, x = np.mgrid[y0 - reach : y0 + reach + 1, x0 - reach : x0 + reach + 1]
    weight = image[y, x].astype(float)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("seed", range(5))
def test_labels_move_with_their_pixels(tool, seed):
    augment, _, _ = tool
    keypoints = np.array([[300.0, 200.0], [340.0, 230.0], [280.0, 250.0]], dtype=np.float32)
    rng = np.random.default_rng(seed)
    how = augment.Augmentation(background=0.0, flip=1.0)
    frame = dotted_frame(keypoints)
    matrix = augment.random_matrix(rng, frame.shape, keypoints, how, flip=bool(seed % 2))
    crop, points = augment.warp(frame, keypoints, matrix, 256, border=0)
    inside = [(p, k) for p, k in zip(points, range(3), strict=True) if (p > 10).all() and (p < 245).all()]
    assert inside, "the animal left the crop: the placement is wrong"
    for point, _ in inside:
        np.testing.assert_allclose(centroid(crop, point), point, atol=0.25)


def test_a_mirror_swaps_left_and_right(tool):
    augment, _, _ = tool
    points = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
    np.testing.assert_array_equal(augment.mirrored(points, ((0, 2),)), points[[2, 1, 0]])


def test_light_and_blur_move_no_label(tool):
    augment, _, _ = tool
    keypoints = np.array([[64.0, 64.0]], dtype=np.float32)
    frame = dotted_frame(keypoints)[:128, :128]
    how = augment.Augmentation(
        size_px=128, blur=1.0, motion_blur=1.0, noise=0.0, gradient=0.0, brightness=0.0, cutout=0.0
    )
    for seed in range(10):
        image = augment.relit(np.random.default_rng(seed), frame, how)
        assert image.shape == (128, 128) and image.dtype == np.uint8
        above = image.astype(float) - np.median(image)  # the spot without the floor's grey
        np.testing.assert_allclose(centroid(above, keypoints[0], 14), keypoints[0], atol=0.35)


def test_keypoints_outside_the_crop_become_missing(tool):
    augment, _, _ = tool
    frame = np.full((480, 640), 90, dtype=np.uint8)
    keypoints = np.array([[100.0, 100.0], [600.0, 400.0]], dtype=np.float32)
    how = augment.Augmentation(size_px=96)
    seen = [augment.random_sample(np.random.default_rng(s), frame, keypoints, how)[1] for s in range(30)]
    for points in seen:
        inside = points[~np.isnan(points).any(axis=1)]
        assert ((inside >= 0) & (inside <= 95)).all()
    assert any(np.isnan(points).any() for points in seen)


def test_splits_are_disjoint_and_repeatable(tool):
    from tools.train.openfield import split

    for name, tested in (("random:0", 12), ("random:1", 12), ("blocked:4", 23), ("all", 0)):
        training, test = split(name, 116)
        assert sorted(training + test) == list(range(116)) and len(test) == tested
        assert (training, test) == split(name, 116)
    assert split("blocked:4", 116)[1] == list(range(93, 116))
    assert split("random:0", 116)[1] != split("random:1", 116)[1]
    with pytest.raises(ValueError, match=r"random:SEED, blocked:0\.\.4 or all"):
        split("odd", 116)


@pytest.fixture(params=PACKAGES, ids=lambda folder: folder.name)
def package(request):
    assert (request.param / "model.onnx").exists(), f"{request.param}: the shipped package is missing"
    return request.param


def test_package_is_whole_and_small(package):
    names = {path.name for path in package.iterdir()}
    assert {"model.onnx", "model.yaml", "reference.npz", "parity.json", "NOTE.md"} <= names
    assert (package / "model.onnx").stat().st_size <= 2_000_000


def test_package_hashes_are_those_of_its_files(package):
    description = yaml.safe_load((package / "model.yaml").read_text())
    for name, digest in description["sha256"].items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest
    assert set(description["sha256"]) == {"model.onnx"}


def test_package_reference_fits_its_bodyparts(package):
    description = yaml.safe_load((package / "model.yaml").read_text())
    with np.load(package / "reference.npz", allow_pickle=False) as reference:
        frames, keypoints = reference["frames"], reference["keypoints"]
    assert frames.dtype == np.uint8 and keypoints.dtype == np.float32
    assert keypoints.shape == (len(frames), len(description["bodyparts"]), 3)
    assert {part for edge in description["skeleton"] for part in edge} <= set(description["bodyparts"])


def test_package_parity_is_within_a_tenth_of_a_pixel(package):
    parity = json.loads((package / "parity.json").read_text())
    assert parity["cpu"]["fp32"]["max_px"] <= 0.1


def test_package_runs_and_gives_its_reference(package, tool):
    pytest.importorskip("openvino", reason="needs OpenVINO")
    from tools.train.package import OnnxPose

    with np.load(package / "reference.npz", allow_pickle=False) as reference:
        frames, keypoints = reference["frames"], reference["keypoints"]
    model = OnnxPose(package / "model.onnx", *frames.shape[1:])
    np.testing.assert_allclose(model.estimate(frames[0])[:, :2], keypoints[0, :, :2], atol=0.1)
