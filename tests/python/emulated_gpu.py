"""A GPU whose memory and kernels are the CPU's (`_cuda` emulated), and OpenVINO as the runtime on it.

The engine's graph, its preprocessing and decoding kernels, the assembly around them and the call of a network
frame by frame are the real ones; only the device is not.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fastpose.cuda import load
from fastpose.cuda.progress import Progress
from fastpose.cuda.runtime import CaptureRefused, Gpu, Job, Port
from fastpose.errors import FastposeError
from fastpose.importing.run_network import Network

GPU = Gpu(0, "emulated", (8, 9), "13.0")


@dataclass(frozen=True)
class HostRuntime:
    """OpenVINO in fp32 on the memory that the engine gives."""

    name: str = "host"
    version: str = "1"
    precisions: tuple[str, ...] = ("fp32", "fp16", "bf16", "int8")
    keeps_plans: bool = False
    refuses_capture: bool = False

    def suits(self, gpu: Gpu, precision: str) -> str:
        return ""

    def build(self, job: Job, gpu: Gpu, progress: Progress) -> bytes:
        return b""

    def load(self, plan: bytes, job: Job, gpu: Gpu, extra: bytes = b"") -> HostProgram:
        return HostProgram(job, self.refuses_capture)


class HostProgram:
    """Runs when it is enqueued."""

    extra = b""
    description = "host 1"

    def __init__(self, job: Job, refuses: bool) -> None:
        self._refuses = refuses
        self._network = Network(job.file)
        first = self._network.run(np.zeros(job.input_shape, np.float32))
        self.input = Port("input", job.input_shape, "f32")
        self.outputs = tuple(Port(name, first[name].shape, "f32") for name in job.outputs)

    def bind(self, input_address: int, output_addresses: Sequence[int]) -> None:
        self._tensor = _at(input_address, self.input.shape)
        self._results = [_at(at, port.shape) for at, port in zip(output_addresses, self.outputs, strict=True)]

    def enqueue(self, stream: int) -> None:
        made = self._network.run(self._tensor)
        for result, port in zip(self._results, self.outputs, strict=True):
            result[...] = made[port.name]

    def run(self) -> bool:
        try:
            self.enqueue(0)
        except FastposeError:
            return False
        return True

    def capture(self, carrier: Any) -> None:
        if self._refuses:
            raise CaptureRefused("the host is no GPU")
        carrier.begin_capture()
        carrier.emulate_work(self.run)
        if not carrier.end_capture(True):
            raise CaptureRefused(carrier.capture_error)


def _at(address: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    memory = (ctypes.c_float * math.prod(shape)).from_address(address)
    return np.frombuffer(memory, np.float32).reshape(shape)


@contextmanager
def emulated_gpu(*, refuses_capture: bool = False) -> Iterator[Any]:
    """While it lasts, device cuda:0 is the emulated one; yields the module `_cuda`."""
    cuda: Any = pytest.importorskip("fastpose._cuda", reason="fastpose was built without CUDA")
    module = SimpleNamespace(**{name: getattr(cuda, name) for name in dir(cuda) if not name.startswith("_")})
    module.CudaNetwork = partial(cuda.CudaNetwork, emulated=True)
    module.CudaBackend = partial(cuda.CudaBackend, emulated=True)
    module.CudaCrops = partial(cuda.CudaCrops, emulated=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "ORDER", {"host": partial(HostRuntime, refuses_capture=refuses_capture)})
        for place in (
            "fastpose.assembly.cuda_networks",
            "fastpose.assembly.cuda_top_down",
            "fastpose.assembly.network",
            "fastpose.cuda.check",
        ):
            _patch(patch, place, "cuda_module", lambda: module)
            _patch(patch, place, "find_gpu", lambda device: GPU)
        _patch(patch, "fastpose.model", "find_gpu", lambda device: GPU)
        yield module


def _patch(patch: pytest.MonkeyPatch, place: str, name: str, value: Any) -> None:
    patch.setattr(f"{place}.{name}", value, raising=False)
