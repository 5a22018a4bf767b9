"""Two animals of three coloured blobs, videos of them, and a package whose network sees just these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

import tiny_package as tiny

WIDTH, HEIGHT, RATE_HZ = 160, 120, 50
NAMES = ("mouse1", "mouse2")
UNIQUE = ("corner", "brightest")  # the first cell of the map; the snout of the brighter animal
CORNER_PX = (4.0, 4.0)
BODY_PX = np.array([[0, 0], [24, 0], [48, 0]], float)  # snout, center, tailbase from the snout on
HIDDEN = range(30, 38)  # frames without the second animal
EMPTY = range(50, 54)  # frames without any
FRAMES = 70

Animals = Sequence[tuple[float, float] | None]  # x, y of each snout, px; None: not there


def places(frame: int) -> Animals:
    """The first walks to the right in the upper half, the second to the left in the lower one."""
    if frame in EMPTY:
        return None, None
    first, second = (12.43 + 1.2 * frame, 35.4), (98.63 - 1.2 * frame, 83.6)  # never between two cells
    return first, None if frame in HIDDEN else second


def rgb_frame(frame: int, animals: Animals) -> npt.NDArray[np.uint8]:
    """(H, W, 3): one colour a body part; the animals take turns to be the brighter one."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    shown = np.zeros((HEIGHT, WIDTH, 3))
    for number, place in enumerate(animals):
        if place is None:
            continue
        height = 200 if (frame // 3 + number) % 2 else 250
        for part, (x, y) in enumerate(BODY_PX + place):
            blob = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 7.0**2))
            shown[..., part] = np.maximum(shown[..., part], blob)
    return shown.astype(np.uint8)


def make_video(path: Path, frames: int = FRAMES) -> Path:
    """Write the animals without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for index in range(frames):
            picture = av.VideoFrame.from_ndarray(rgb_frame(index, places(index)), format="rgb24")
            picture = picture.reformat(format="bgr0")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_package(folder: Path, **fields: Any) -> Path:
    """Heatmaps: a colour's mean over 8x8 px. Fields: unit vectors to the right, for bodies that lie so."""
    paf = {"limbs": [[0, 1], [1, 2]], "smoothing_cells": 0.0, "nms_size": 5, "min_likelihood": 0.2}
    return tiny.write_package(
        folder,
        {"model.onnx": _save_network},
        **{
            "name": "blobs",
            "individuals": list(NAMES),
            "colour": "rgb",
            "normalisation": {"scale": [1 / 255] * 3, "offset": [0.0] * 3},
            "decoder": "paf",
            "locref_stdev": 0.0,
            "outputs": ["heatmap", "limbs"],
            "paf": paf,
            **fields,
        },
    )


def write_unique_package(folder: Path, **fields: Any) -> Path:
    """The same network with two body parts that exist once in the frame."""
    return write_package(
        folder,
        **{
            "bodyparts": [*tiny.BODYPARTS, *UNIQUE],
            "individuals": [*NAMES, "single"],
            "outputs": ["heatmap", "limbs", "once"],
            "unique": {
                "bodyparts": list(UNIQUE),
                "stride": float(tiny.STRIDE),
                "locref_stdev": 0.0,
                "activation": "sigmoid",
            },
            **fields,
        },
    )


def _save_network(path: Path) -> None:
    from onnx import helper

    colours = np.zeros((3, 3, tiny.STRIDE, tiny.STRIDE), np.float32)
    for part in range(3):
        colours[part, part] = 12 / tiny.STRIDE**2
    constants: dict[str, npt.NDArray[Any]] = {
        "colours": colours,
        "low": np.full(3, -6, np.float32),
        "nothing": np.zeros((4, 3, tiny.STRIDE, tiny.STRIDE), np.float32),
        "right": np.array([1, 0, 1, 0], np.float32),
        "once_colours": np.stack([0 * colours[0], colours[0]]),
        "once_low": np.array([4, -6], np.float32),
    }
    layers = {
        "heatmap": ("colours", "low"),
        "limbs": ("nothing", "right"),
        "once": ("once_colours", "once_low"),
    }
    nodes = [
        helper.make_node("Conv", ["input", *weights], [name], strides=[tiny.STRIDE, tiny.STRIDE])
        for name, weights in layers.items()
    ]
    channels = {name: len(constants[bias]) for name, (_, bias) in layers.items()}
    tiny.save(path, nodes, constants, 3, {name: ["n", n, "a", "b"] for name, n in channels.items()})
