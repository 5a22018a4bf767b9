"""Model packages: read, or refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastpose.errors import ModelError
from fastpose.model_package import read_model_package
from sample_config import BODYPARTS, write_package


def error_of(folder: Path) -> str:
    with pytest.raises(ModelError) as info:
        read_model_package(folder)
    assert len(info.value.lines) == 1
    return str(info.value)


def test_it_reads_what_was_written(tmp_path: Path) -> None:
    package = read_model_package(write_package(tmp_path / "mouse"))
    assert package.bodyparts == BODYPARTS
    assert package.network == tmp_path / "mouse" / "model.onnx"
    assert (package.channels, package.count_of_individuals) == (1, 1)
    assert package.padding.multiple == package.stride == 8


def test_several_animals_and_colours(tmp_path: Path) -> None:
    scales = {"scale": [1, 1, 1], "offset": [0, 0, 0]}
    package = read_model_package(
        write_package(tmp_path / "mice", individuals=["a", "b"], colour="rgb", normalisation=scales)
    )
    assert (package.channels, package.count_of_individuals) == (3, 2)


def test_a_missing_package_names_its_neighbour(tmp_path: Path) -> None:
    write_package(tmp_path / "mouse")
    assert error_of(tmp_path / "mouze") == (
        f"model package '{tmp_path}/mouze': no such folder (did you mean 'mouse'?); "
        "allowed: a folder with model.yaml and model.onnx"
    )


def test_a_folder_that_is_no_package(tmp_path: Path) -> None:
    assert "model.yaml cannot be read (No such file or directory)" in error_of(tmp_path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"bodypart": ["a"]}, "bodypart: unknown key (did you mean 'bodyparts'?); allowed: name, bodyparts,"),
        ({"colour": "gray"}, "colour: 'gray' is not allowed (did you mean 'grey'?); allowed: grey, rgb"),
        ({"stride": 0}, "stride: 0 is not allowed; allowed: a number greater than 0"),
        ({"activation": None}, "activation: missing; allowed: none, sigmoid, clip"),
        ({"bodyparts": ["a", "a"], "skeleton": []}, "bodyparts holds a name twice"),
        ({"skeleton": [["snout", "tail"]]}, "skeleton names 'tail', which is none of the bodyparts"),
        ({"colour": "rgb"}, "normalisation needs 3 scale and offset for colour rgb"),
        ({"sha256": {}}, "model.yaml holds no sha256 of model.onnx"),
        ({"sha256": {"model.onnx": "0" * 64}}, "model.onnx has sha256 "),
        (
            {"sha256": {"model.onnx": "", "gone.npz": ""}},
            "gone.npz cannot be read (No such file or directory)",
        ),
    ],
)
def test_a_bad_description_is_one_line(tmp_path: Path, change: dict[str, Any], text: str) -> None:
    assert text in error_of(write_package(tmp_path / "mouse", **change))


def test_a_network_that_was_changed(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "mouse")
    (folder / "model.onnx").write_bytes(b"something else")
    assert "the file was changed or cut off: copy or import the package again" in error_of(folder)
    assert read_model_package(folder, verify=False).name == "sample"
    (folder / "model.onnx").unlink()
    assert "model.onnx cannot be read (No such file or directory)" in error_of(folder)


SINGLE: dict[str, Any] = {
    "bodyparts": ["snout", "center", "tailbase", "lever"],
    "individuals": ["a", "single"],
    "decoder": "paf",
    "paf": {"limbs": [[0, 1], [1, 2]]},
    "outputs": ["heatmap", "locref", "limbs", "lever"],
}
DETECTOR = {
    "file": "detector.onnx",
    "kind": "boxes",
    "outputs": ["boxes", "scores"],
    "normalisation": {"scale": [1.0], "offset": [0.0]},
    "crop_size": [64, 64],
}
LEVER = {"bodyparts": ["lever"], "stride": 4, "locref_stdev": 0, "activation": "clip"}


def test_body_parts_that_exist_once(tmp_path: Path) -> None:
    package = read_model_package(write_package(tmp_path / "mice", **SINGLE, unique=LEVER))
    assert package.unique_bodyparts == ("lever",)
    assert package.count_of_individuals == 2
    assert package.index_of_individual("single") == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"decoder": "heatmap", "paf": None}, "decoder is heatmap; unique belongs to decoder paf alone"),
        ({"detector": DETECTOR}, "decoder is paf with a detector; unique belongs to decoder paf alone"),
        (
            {"bodyparts": ["lever", "center", "tailbase", "snout"]},
            "unique.bodyparts are lever; allowed: the last",
        ),
        ({"unique": {**LEVER, "bodyparts": list(SINGLE["bodyparts"])}}, "allowed: the last of bodyparts"),
        ({"individuals": ["single"]}, "individuals are single; unique needs the animals, then another name"),
        ({"individuals": ["single", "single"]}, "individuals are single, single; unique needs the animals"),
        ({"paf": {"limbs": [[0, 1], [1, 3]]}}, "paf.limbs names a body part beyond the 3 that there are"),
        ({"unique": {**LEVER, "stride": 0}}, "unique.stride: 0 is not allowed"),
    ],
)
def test_unique_that_does_not_fit(tmp_path: Path, change: dict[str, Any], text: str) -> None:
    assert text in error_of(write_package(tmp_path / "mice", **{**SINGLE, "unique": LEVER, **change}))


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "name: \x07", ""])
def test_a_description_that_is_none(tmp_path: Path, text: str) -> None:
    folder = write_package(tmp_path / "mouse")
    (folder / "model.yaml").write_text(text)
    assert "model.yaml" in error_of(folder)
