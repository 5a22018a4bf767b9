"""Makes what two_animals.yaml plays: a video of the trajectories of three mice, and a network that reads it.

    python examples/make_two_animals.py                     # writes examples/two_animals/, ignored by git

No recording of several mice comes with this project, but trajectories do (FASTPOSE_DATA, trimouse-poses).
The first pixels of each frame are their numbers; the network (an ONNX graph that OpenVINO runs as any other)
turns those into points again. So recorded animals go through the whole system, from the camera to events.csv.
Below the numbers they are drawn, for a person. Needs the extra `classify` (onnx).
"""

from __future__ import annotations

import argparse
import hashlib
import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import yaml

HERE = Path(__file__).parent
TRACKLETS = Path("trimouse-poses") / "trimouse_tracklets.npz"
INDIVIDUALS = ("mouse1", "mouse2", "mouse3")
WIDTH, HEIGHT, RATE_HZ = 640, 480, 30
STEPS_PER_PX, STEPS = 64, 65535
GREY_LEVELS = (250, 170, 90)  # an animal's dots

Poses = npt.NDArray[np.float32]  # (n, individuals, bodyparts, 3)


def read_trajectories(data: Path) -> tuple[Poses, tuple[str, ...]]:
    """Return the trajectories and the names of their body parts."""
    file = np.load(data / TRACKLETS, allow_pickle=False)
    return np.moveaxis(file["trk"], 0, 1), tuple(map(str, file["names"]))


def write_video(path: Path, poses: Poses) -> Path:
    """Write poses without loss; what is NaN gets likelihood 0."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray"
        for index, pose in enumerate(poses):
            picture = av.VideoFrame.from_ndarray(_frame(pose), format="gray")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _frame(pose: Poses) -> npt.NDArray[np.uint8]:
    missing = np.isnan(pose).any(axis=-1, keepdims=True)
    numbers = np.where(missing, 0, pose) * [STEPS_PER_PX, STEPS_PER_PX, STEPS]
    codes = np.rint(np.clip(numbers, 0, STEPS)).astype(">u2").tobytes()
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    for index, animal in enumerate(pose):
        for x, y in animal[~np.isnan(animal).any(axis=-1), :2].round().astype(int):
            frame[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4] = GREY_LEVELS[index % len(GREY_LEVELS)]
    frame.reshape(-1)[: len(codes)] = np.frombuffer(codes, np.uint8)
    return frame


def write_package(folder: Path, individuals: tuple[str, ...], bodyparts: tuple[str, ...]) -> Path:
    """Write a model package that finds any animals and body parts in such a video."""
    folder.mkdir(parents=True, exist_ok=True)
    network = folder / "model.onnx"
    _save_network(network, (len(individuals), len(bodyparts)))
    description = {
        "name": "poses",
        "individuals": list(individuals),
        "bodyparts": list(bodyparts),
        "colour": "grey",
        "normalisation": {"scale": [1.0], "offset": [0.0]},
        "padding": {"multiple": 8},
        "stride": 8.0,
        "locref_stdev": 0.0,
        "decoder": "points",
        "activation": "none",
        "outputs": ["points"],
        "sha256": {network.name: hashlib.sha256(network.read_bytes()).hexdigest()},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(description, sort_keys=False))
    return folder


def _save_network(path: Path, shape: tuple[int, int]) -> None:
    from onnx import TensorProto, helper, numpy_helper, save

    count = shape[0] * shape[1] * 3
    constants: dict[str, npt.NDArray[Any]] = {
        "flat": np.array([-1], np.int64),
        "first": np.arange(2 * count, dtype=np.int64),
        "pairs": np.array([count, 2], np.int64),
        "bytes": np.array([[256], [1]], np.float32),
        "shape": np.array([*shape, 3], np.int64),
        "unit": np.array([1 / STEPS_PER_PX, 1 / STEPS_PER_PX, 1 / STEPS], np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["input", "flat"], ["pixels"]),
        helper.make_node("Gather", ["pixels", "first"], ["codes"]),
        helper.make_node("Reshape", ["codes", "pairs"], ["both"]),
        helper.make_node("MatMul", ["both", "bytes"], ["steps"]),
        helper.make_node("Reshape", ["steps", "shape"], ["numbers"]),
        helper.make_node("Mul", ["numbers", "unit"], ["points"]),
    ]
    graph = helper.make_graph(
        nodes,
        "poses",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("points", TensorProto.FLOAT, [*shape, 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def main() -> None:
    """Write poses.mkv and the package model/ into a folder."""
    parser = argparse.ArgumentParser(description="Make what examples/two_animals.yaml plays.")
    parser.add_argument("--out", type=Path, default=HERE / "two_animals", help="folder")
    parser.add_argument("--first", type=int, default=0, help="of the frames that are written")
    parser.add_argument("--frames", type=int, help="how many; default: all (2330, 78 s)")
    asked = parser.parse_args()
    data = Path(os.environ.get("FASTPOSE_DATA", HERE.parent.parent / "shared" / "data"))
    if not (data / TRACKLETS).exists():
        parser.error(f"{data / TRACKLETS} is not there; allowed: FASTPOSE_DATA=folder that holds {TRACKLETS}")
    poses, bodyparts = read_trajectories(data)
    last = None if asked.frames is None else asked.first + asked.frames
    write_package(asked.out / "model", INDIVIDUALS, bodyparts)
    print(write_video(asked.out / "poses.mkv", poses[asked.first : last]))


if __name__ == "__main__":
    main()
