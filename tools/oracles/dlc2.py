"""Makes frozen graphs of the kinds that DeepLabCut 2 exports, small and with seeded weights, and runs them.

Runs in an environment of its own (``pip install tensorflow-cpu``): ``python tools/oracles/dlc2.py FOLDER``.
FOLDER/maps ends in a score map and locref, FOLDER/pose in (K, 3) y, x, likelihood ("TFGPUinference");
``tool.npz`` in each holds what TensorFlow gives on the fixed frames, decoded to (n, K, 3) x, y, likelihood.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from frames import oracle_frames

PARTS = ("snout", "ear_left", "ear_right", "tailbase")
SIZE = (160, 120)  # width, height, px
STRIDE, LOCREF_STDEV = 8, 7.2801
MEAN_PIXEL = (123.68, 116.779, 103.939)
CONFIG = f"""all_joints_names: [{", ".join(PARTS)}]
batch_size: 1
dataset_type: imgaug
location_refinement: true
locref_stdev: {LOCREF_STDEV}
mean_pixel: [123.68, 116.779, 103.939]
net_type: resnet_50
num_joints: {len(PARTS)}
stride: {STRIDE}.0
"""


def weights(random: np.random.Generator, *shape: int) -> tf.Tensor:
    """A kernel with unit gain."""
    return tf.constant(random.normal(0, np.prod(shape[:-1]) ** -0.5, shape), tf.float32)


def head(features: tf.Tensor, name: str, kernel: np.ndarray) -> tf.Tensor:
    """A transposed convolution that doubles the map, as DeepLabCut's heads have."""
    with tf.variable_scope(f"pose/{name}/block4"):
        shape = tf.shape(features)
        size = tf.stack([shape[0], shape[1] * 2, shape[2] * 2, kernel.shape[2]])
        maps = tf.nn.conv2d_transpose(features, tf.constant(kernel, tf.float32), size, [1, 2, 2, 1])
        return tf.nn.bias_add(maps, tf.zeros(kernel.shape[2]), name="BiasAdd")


def network(batch: int | None) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Placeholder, score map before the sigmoid, and locref; stride 8."""
    random = np.random.default_rng(3)
    pixels = tf.placeholder(tf.float32, [batch, None, None, 3], name="Placeholder")
    features = tf.subtract(pixels, tf.constant(MEAN_PIXEL, tf.float32), name="sub") / 50
    for layer, channels in enumerate(((3, 8), (8, 12), (12, 16), (16, 16))):
        kernel = weights(random, 3, 3, *channels)
        features = tf.nn.relu(tf.nn.conv2d(features, kernel, [1, 2, 2, 1], "SAME", name=f"conv{layer}"))
    scores = head(features, "part_pred", random.normal(0, 0.25, (3, 3, len(PARTS), 16)))
    locref = head(features, "locref_pred", random.normal(0, 0.1, (3, 3, 2 * len(PARTS), 16)))
    return pixels, scores, locref


def pose(scores: tf.Tensor, locref: tf.Tensor) -> tf.Tensor:
    """(K, 3) y, x, likelihood, inside the graph."""
    probability = tf.sigmoid(scores[0])
    shape = tf.shape(probability)
    flat = tf.reshape(probability, [-1, len(PARTS)])
    best = tf.argmax(flat, axis=0, output_type=tf.int32)
    parts = tf.range(len(PARTS))
    offsets = tf.gather_nd(tf.reshape(locref, [-1, len(PARTS), 2]), tf.stack([best, parts], 1)) * LOCREF_STDEV
    cells = tf.stack([best // shape[1], best % shape[1]], 1)
    places = (tf.cast(cells, tf.float32) + 0.5) * STRIDE + offsets[:, ::-1]
    likelihood = tf.gather_nd(flat, tf.stack([best, parts], 1))[:, None]
    tf.concat([places[:0], places], 0, name="concat")
    return tf.concat([places, likelihood], 1, name="concat_1")


def decoded(scores: np.ndarray, locref: np.ndarray) -> np.ndarray:
    """(K, 3) x, y, likelihood by DeepLabCut's rule: the highest cell's centre and its locref."""
    found = []
    for part in range(len(PARTS)):
        row, column = np.unravel_index(scores[..., part].argmax(), scores.shape[:2])
        x, y = locref[row, column, 2 * part : 2 * part + 2] * LOCREF_STDEV
        found.append(((column + 0.5) * STRIDE + x, (row + 0.5) * STRIDE + y, scores[row, column, part]))
    return np.array(found, np.float32)


def write(folder: Path, definition: tf.GraphDef, poses: list[np.ndarray]) -> None:
    """The export's files and the answers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "snapshot-1.pb").write_bytes(definition.SerializeToString())
    (folder / "pose_cfg.yaml").write_text(CONFIG)
    np.savez_compressed(folder / "tool.npz", keypoints=np.stack(poses))


def main() -> None:
    """Make both kinds in the folder that the command line names."""
    folder, frames = Path(sys.argv[1]), oracle_frames(SIZE, 3)
    with tf.Graph().as_default(), tf.Session() as session:
        pixels, scores, locref = network(None)
        outputs = [tf.sigmoid(scores), locref]
        maps = [session.run(outputs, {pixels: frame[None]}) for frame in frames]
        poses = [decoded(each[0][0], each[1][0]) for each in maps]
        write(folder / "maps", session.graph.as_graph_def(), poses)
    with tf.Graph().as_default(), tf.Session() as session:
        pixels, scores, locref = network(1)
        keypoints = pose(scores, locref)
        poses = [session.run(keypoints, {pixels: frame[None]})[:, [1, 0, 2]] for frame in frames]
        write(folder / "pose", session.graph.as_graph_def(), poses)


if __name__ == "__main__":
    main()
