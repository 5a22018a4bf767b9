"""Sizes of a network's inputs: from the frame, the roi, input_size, and what the network takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_package as tiny
from fastpose import load_model
from fastpose.config import Model
from fastpose.errors import ConfigError
from fastpose.input_sizes import input_shapes, shapes_of_config
from fastpose.model_package import ModelPackage, read_model_package

pytest.importorskip("onnx")


def package(folder: Path, **fields: object) -> ModelPackage:
    files = {"model.onnx": lambda path: tiny.save_heatmap(path, 1)}
    return read_model_package(tiny.write_package(folder, files, **fields))


def test_the_frame_is_rounded_up_to_what_the_network_takes(tmp_path: Path) -> None:
    assert input_shapes(package(tmp_path), (150, 121)) == {"frame": (1, 1, 128, 152)}


def test_animals_look_as_large_in_the_roi_as_in_the_frame(tmp_path: Path) -> None:
    shapes = input_shapes(package(tmp_path), (640, 480), input_size=(320, 240), tracked=(128, 96))
    assert shapes == {"frame": (1, 1, 240, 320), "roi": (1, 1, 48, 64)}


@pytest.mark.parametrize(
    ("model", "shapes"),
    [
        ({}, {"frame": (1, 1, 480, 640)}),
        ({"roi": {"x": 8, "y": 8, "width": 96, "height": 64}}, {"frame": (1, 1, 64, 96)}),
        (
            {"roi": {"track": True, "size": [64, 56]}},
            {"frame": (1, 1, 480, 640), "roi": (1, 1, 56, 64)},
        ),
    ],
    ids=["full frame", "fixed", "tracked"],
)
def test_of_a_config(tmp_path: Path, model: dict[str, object], shapes: dict[str, object]) -> None:
    spec = Model.model_validate({"path": tmp_path, "camera": "top", **model})
    assert shapes_of_config(package(tmp_path), spec, (640, 480)) == shapes


def test_a_network_of_one_size_gets_that_size_from_every_frame(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    one = package(tmp_path, input_size=[64, 48])
    assert input_shapes(one, (150, 121)) == {"frame": (1, 1, 48, 64)}
    with pytest.raises(ConfigError, match=r"input_size is \[80, 48\]; allowed: \[64, 48\]"):
        input_shapes(one, (150, 121), input_size=(80, 48))
    frame = np.random.default_rng(0).integers(0, 255, (96, 128), np.uint8)
    as_it_is = np.asarray(load_model(tmp_path, precision="fp32", threads=1).estimate(frame))
    asked = np.asarray(load_model(tmp_path, precision="fp32", threads=1, input_size=(64, 48)).estimate(frame))
    np.testing.assert_array_equal(as_it_is, asked)
