"""What fp16 costs in pixels, on machines without it: a network node by node, each result rounded to 16 bits.

    python -m tools.oracles.half PACKAGE ...        # against the package's own fp32 on its reference frames

That is how a GPU computes in half precision (numbers stored in 16 bits, products summed in 32), but for the
nodes that it fuses and then rounds less often. Prints a line a package.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from fastpose import _core
from fastpose.assembly.decoders import make_decoder
from fastpose.config.model import package_folder
from fastpose.importing.run_network import Network
from fastpose.input_sizes import tensor_sizes
from fastpose.model import load_model
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.verify import compare

__all__ = ["HalfNetwork", "half_poses"]

HEAVY = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "Resize", "GlobalAveragePool")
"""Run by OpenVINO in fp32 and then rounded; all others by ONNX's own definition of them in NumPy."""

_FLOAT = onnx.TensorProto.FLOAT
Array = np.ndarray[Any, Any]


class HalfNetwork:
    """An ONNX network of one input, for tensors of one shape."""

    def __init__(self, file: Path) -> None:
        self._model = onnx.load(str(file))
        weights = self._model.graph.initializer
        self._weights = {each.name: rounded(numpy_helper.to_array(each)) for each in weights}
        self._input = next(each.name for each in self._model.graph.input if each.name not in self._weights)
        self._kernels: dict[str, Any] = {}

    def run(self, tensor: Array) -> dict[str, Array]:
        """Outputs by name, float32 that hold half-precision numbers."""
        values = self._weights | {self._input: rounded(tensor)}
        for node in self._model.graph.node:
            results = self._run(node, {name: values[name] for name in node.input if name})
            values |= dict(zip(node.output, map(rounded, results), strict=False))
        return {output.name: values[output.name] for output in self._model.graph.output}

    def _run(self, node: Any, values: dict[str, Array]) -> list[Array]:
        if node.op_type not in HEAVY:
            return list(self._kernel(node, values, values).run(None, values))
        data = {node.input[0]: values[node.input[0]]}
        found = self._kernel(node, values, data).run(data[node.input[0]])
        return [found[name] for name in node.output]

    def _kernel(self, node: Any, values: dict[str, Array], inputs: dict[str, Array]) -> Any:
        if node.output[0] not in self._kernels:
            model = self._alone(node, values, inputs)
            heavy = node.op_type in HEAVY
            made: Any = Network(model.SerializeToString()) if heavy else ReferenceEvaluator(model)
            self._kernels[node.output[0]] = made
        return self._kernels[node.output[0]]

    def _alone(self, node: Any, values: dict[str, Array], inputs: dict[str, Array]) -> Any:
        """A network of this node; what is not among its inputs is constant."""
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info(name, _type(each), each.shape) for name, each in inputs.items()],
            [helper.make_tensor_value_info(name, _FLOAT, None) for name in node.output if name],
            [numpy_helper.from_array(each, name) for name, each in values.items() if name not in inputs],
        )
        opsets, version = self._model.opset_import, self._model.ir_version
        return helper.make_model(graph, opset_imports=opsets, ir_version=version)


def rounded(values: Any) -> Array:
    """Floats to the nearest half-precision number, as float32; all else as it is."""
    array = np.asarray(values)
    return array.astype(np.float16).astype(np.float32) if array.dtype.kind == "f" else array


def _type(array: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))


def half_poses(package: ModelPackage, frames: Array) -> Array:
    """Poses (n, individuals, K, 3) of frames of one size: preprocess and decode are the engine's, in fp32."""
    network = HalfNetwork(package.network)
    size = (frames.shape[2], frames.shape[1])
    image, tensor = tensor_sizes(package, None, size)
    scale, offset = package.normalisation.factors
    stage = _core.Preprocessor(
        "mono8" if frames.ndim == 3 else "rgb8",
        size,
        tensor,
        image_size=image,
        colour=package.colour,
        scale=scale,
        offset=offset,
    )
    poses = []
    for frame in frames:
        found = network.run(stage.run(np.ascontiguousarray(frame)))
        maps = [_of_four_axes(found[name]) for name in package.outputs]
        decoder = make_decoder(package, [each.shape for each in maps])
        shape = (package.count_of_individuals, len(package.bodyparts))
        poses.append(decoder.run(maps, shape, tensor_to_sensor=stage.tensor_to_sensor))
    return np.stack(poses)


def _of_four_axes(values: Array) -> Array:
    """As a backend of the engine gives it: axes of one in front."""
    return np.ascontiguousarray(values.reshape((1,) * (4 - values.ndim) + values.shape))


def main() -> None:
    """Measure the packages that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("packages", nargs="+", help="folder or builtin:NAME")
    for name in parser.parse_args().packages:
        package = read_model_package(package_folder(name))
        with np.load(package.folder / "reference.npz", allow_pickle=False) as arrays:
            frames = arrays["frames"]
        single = load_model(package.folder, precision="fp32")
        truth = np.stack([single.estimate(frame).keypoints for frame in frames])
        truth = truth.reshape(len(frames), -1, *truth.shape[-2:])
        cell = compare(half_poses(package, frames), truth, np.zeros(truth.shape[:3], bool))
        print(f"{name}: {cell['mean_px']:.3g} px mean, {cell['max_px']:.3g} px max, n {cell['keypoints']}")


if __name__ == "__main__":
    main()
