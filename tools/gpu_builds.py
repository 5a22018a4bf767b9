"""Builds engines of every network that can be imported with TensorRT-RTX, for GPUs that need not be here.

    python -m tools.gpu_builds [--only NAME ...] [--precision fp16 ...] [--gpu 8.9 ...] [--json FILE]

The networks are those of the DeepLabCut oracle with weights from its seed, exported as `fastpose import` does
it, and the networks of SLEAP and Lightning Pose among the golden files. Prints a line a network; fails where
an engine that is expected is not built, or one is that is listed as refused.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx

from fastpose.cuda.nvinfer import Nvinfer, open_tensorrt_rtx
from fastpose.cuda.onnx_quantise import quantisable, quantised_in_half
from fastpose.cuda.onnx_types import with_half_types
from fastpose.cuda.runtime import Gpu, Job
from fastpose.errors import ModelError
from fastpose.model_forms import Shape
from fastpose.optimizing.onnx_ranges import measured_ranges

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

GPUS = {"7.5": (7, 5), "8.6": (8, 6), "8.9": (8, 9), "12.0": (12, 0)}
PRECISIONS = ("fp32", "fp16", "bf16", "int8")
DETECTORS = ("ssdlite", "fasterrcnn")
"""They find a number of boxes that follows the frame; a graph has fixed shapes."""


KNOWN = ("bf16 needs SM80", "FP32 GEMM is not supported")
"""What is refused on purpose: bf16 by Turing, matrix products in fp32 by TensorRT-RTX on Turing."""


@dataclass(frozen=True)
class Network:
    """An ONNX file, the input that it is built for, and its outputs."""

    name: str
    file: Path
    shape: Shape
    outputs: tuple[str, ...]


def main() -> int:
    """Build, print, and write the table; 1 if an engine is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", help="names of networks")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--gpu", nargs="+", choices=list(GPUS), default=list(GPUS), help="capabilities")
    parser.add_argument("--json", type=Path, help="write the table there")
    chosen = parser.parse_args()
    runtime, rows = open_tensorrt_rtx(), []
    with TemporaryDirectory() as folder:
        for name in chosen.only or names():
            network = exported(name, Path(folder))
            for precision in chosen.precision:
                row = {"network": name, "precision": precision}
                row |= built(runtime, network, precision, chosen.gpu, Path(folder))
                rows.append(row)
                print("  ".join(f"{value!s:>12}" for value in row.values()), flush=True)
    if chosen.json is not None:
        content = {"runtime": f"{runtime.name} {runtime.version}", "engines": rows}
        chosen.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return int(any(problem_of(row) for row in rows))


def problem_of(row: dict[str, Any]) -> bool:
    """Whether an engine that should be there is missing."""
    return any(isinstance(found, str) and not any(known in found for known in KNOWN) for found in _cells(row))


def _cells(row: dict[str, Any]) -> Iterator[Any]:
    yield from (value for key, value in row.items() if key.startswith("SM"))


def names() -> list[str]:
    """Every network but the detectors."""
    from dlc_golden import GOLDEN

    return sorted(path.stem for path in GOLDEN.glob("*.npz") if not path.stem.startswith(DETECTORS))


def exported(name: str, folder: Path) -> Network:
    """Write a network with seeded weights as ONNX of free height and width, as `fastpose import` does."""
    import torch

    from dlc_golden import golden, network_input, network_of

    told = golden(name)
    network = network_of(told)
    frame = network_input(told.seen[:1])
    outputs = [f"{head}_{kind}" for head, part in network.heads.items() for kind in part.outputs]
    top_down = "crop" in told.case or name.startswith("rtmpose")
    free = {} if top_down else {each: {2: f"{each}_h", 3: f"{each}_w"} for each in ("frame", *outputs)}
    file = folder / f"{name}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.from_numpy(frame),),
            str(file),
            dynamo=False,
            opset_version=17,
            input_names=["frame"],
            output_names=outputs,
            dynamic_axes=free,
        )
    return Network(name, file, tuple(frame.shape), tuple(outputs))


def built(
    runtime: Nvinfer, network: Network, precision: str, gpus: list[str], folder: Path
) -> dict[str, Any]:
    """MiB of the engine for each GPU, or why there is none; seconds for all."""
    begin = time.monotonic()
    file = in_precision(network, precision, folder)
    job = Job(file, hashlib.sha256(file.read_bytes()).hexdigest(), precision, network.shape, network.outputs)
    found: dict[str, Any] = {}
    for name in gpus:
        gpu = Gpu(-1, f"a GPU of compute capability {name}", GPUS[name])
        found[gpu.sm] = _size(runtime, job, gpu)
    return found | {"seconds": round(time.monotonic() - begin, 1)}


def _size(runtime: Nvinfer, job: Job, gpu: Gpu) -> float | str:
    reason = runtime.suits(gpu, job.precision)
    if reason:
        return reason
    try:
        return round(len(runtime.build(job, gpu, lambda *_: None)) / 2**20, 1)
    except ModelError as error:
        return str(error)


def in_precision(network: Network, precision: str, folder: Path) -> Path:
    """The network's file at a precision, ranges measured on seeded values."""
    if precision == "fp32":
        return network.file
    model = onnx.load(str(network.file))
    if precision == "int8":
        tensors = [np.random.default_rng(1).standard_normal(network.shape).astype(np.float32)]
        ranges = measured_ranges(model, tensors, {node.input[0] for node in quantisable(model)})
        made = quantised_in_half(model, {name: float(v.max()) for name, v in ranges.items()})
    else:
        made = with_half_types(model, "fp16" if precision == "fp16" else "bf16")
    file = folder / f"{network.name}_{precision}.onnx"
    file.write_bytes(made.SerializeToString())
    return file


if __name__ == "__main__":
    sys.exit(main())
