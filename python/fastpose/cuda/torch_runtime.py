"""PyTorch as a runtime: channels last, captured as a graph of its own; for GPUs without TensorRT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fastpose.cuda.device_array import DeviceArray
from fastpose.cuda.onnx_torch import OnnxModule, read_network
from fastpose.cuda.progress import Progress
from fastpose.cuda.runtime import CaptureRefused, Carrier, Element, Gpu, Job, Missing, Port
from fastpose.errors import DeviceError

__all__ = ["TorchProgram", "TorchRuntime", "open_torch"]

PRECISIONS = ("fp32", "fp16", "bf16")


def open_torch() -> TorchRuntime:
    """PyTorch with CUDA, if it is installed; raises Missing."""
    way_out = 'install it with: pip install "fastpose-rig[torch]"'
    try:
        torch = import_module("torch")
    except ImportError as error:
        raise Missing(f"torch cannot be loaded ({' '.join(str(error).split())}); {way_out}") from None
    if torch.version.cuda is None:
        raise Missing(f"torch {torch.__version__} is built without CUDA; install a build with CUDA")
    return TorchRuntime(torch)


@dataclass(frozen=True)
class TorchRuntime:
    """A `fastpose.cuda.runtime.Runtime`; its plan is the ONNX file itself."""

    torch: Any
    name: str = "torch"
    precisions: tuple[str, ...] = PRECISIONS
    keeps_plans: bool = False

    @property
    def version(self) -> str:
        """Of PyTorch."""
        return str(self.torch.__version__)

    def suits(self, gpu: Gpu, precision: str) -> str:
        """See `fastpose.cuda.runtime.Runtime.suits`."""
        if precision not in self.precisions:
            return f"torch runs {', '.join(self.precisions)}, not {precision}"
        if not self.torch.cuda.is_available():
            return f"torch {self.version} finds no GPU that it can use"
        return ""

    def build(self, job: Job, gpu: Gpu, progress: Progress) -> bytes:
        """Check that PyTorch runs every operation; there is nothing else to build."""
        read_network(job.file)
        return b""

    def load(self, plan: bytes, job: Job, gpu: Gpu, extra: bytes = b"") -> TorchProgram:
        """Put the weights on the GPU."""
        if gpu.index < 0:
            raise DeviceError("torch: a network runs on a GPU, and there is none")
        return TorchProgram(self.torch, job, self.torch.device("cuda", gpu.index))


class TorchProgram:
    """A network in eager PyTorch until it is captured; see `fastpose.cuda.runtime.Program`."""

    extra = b""

    def __init__(self, torch: Any, job: Job, device: Any) -> None:
        self._torch, self._job, self._device = torch, job, device
        half = {"fp16": torch.float16, "bf16": torch.bfloat16}
        self._dtype = half.get(job.precision, torch.float32)
        graph = read_network(job.file)
        self._module = OnnxModule(graph, job.outputs, device, self._dtype)
        element: Element = "f16" if job.precision == "fp16" else "f32"
        self._input = Port("input", job.input_shape, element, "nhwc")
        self._features: Any = None
        self._results: list[Any] = []
        self._graph: Any = None
        first = torch.zeros(job.input_shape, dtype=self._dtype, device=device)
        shapes = [
            tuple(made.shape) for made in self._run(first.contiguous(memory_format=torch.channels_last))
        ]
        self._outputs = tuple(Port(name, s, "f32") for name, s in zip(job.outputs, shapes, strict=True))

    @property
    def input(self) -> Port:
        """What goes in: channels last."""
        return self._input

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes out."""
        return self._outputs

    @property
    def description(self) -> str:
        """Runtime, version, precision."""
        return f"torch {self._torch.__version__}, {self._job.precision}"

    def bind(self, input_address: int, output_addresses: Sequence[int]) -> None:
        """Look at the engine's memory as tensors."""
        n, c, h, w = self._input.shape
        rows = self._tensor(input_address, (n, h, w, c), self._input.element)
        self._features = rows.permute(0, 3, 1, 2)
        pairs = zip(output_addresses, self._outputs, strict=True)
        self._results = [self._tensor(address, port.shape, "f32") for address, port in pairs]

    def enqueue(self, stream: int) -> None:
        """Put one run on a stream."""
        try:
            with self._torch.cuda.stream(self._torch.cuda.ExternalStream(stream, device=self._device)):
                self._step()
        except RuntimeError as error:
            raise DeviceError(f"torch cannot run the network: {' '.join(str(error).split())}") from None

    def capture(self, carrier: Carrier) -> None:
        """PyTorch captures by itself: only so does its allocator know of it."""
        torch = self._torch
        try:
            graph = torch.cuda.CUDAGraph(keep_graph=True)
        except TypeError:
            raise CaptureRefused(f"torch {torch.__version__} keeps no graph; 2.8 and newer do") from None
        try:
            outside = torch.cuda.ExternalStream(carrier.stream, device=self._device)
            with torch.cuda.graph(graph, stream=outside, capture_error_mode="thread_local"):
                self._step()
            handle = int(graph.raw_cuda_graph())
        except RuntimeError as error:
            raise CaptureRefused(f"torch refuses capture ({' '.join(str(error).split())})") from None
        self._graph = graph  # its memory is that of the captured run
        carrier.adopt_graph(handle)

    def _step(self) -> None:
        for result, made in zip(self._results, self._run(self._features.to(self._dtype)), strict=True):
            result.copy_(made)

    def _run(self, features: Any) -> list[Any]:
        exact = self._job.precision == "fp32"
        cudnn = self._torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=not exact)
        with self._torch.no_grad(), cudnn:
            return self._module(features)

    def _tensor(self, address: int, shape: tuple[int, ...], element: str) -> Any:
        return self._torch.as_tensor(DeviceArray(address, shape, element), device=self._device)
