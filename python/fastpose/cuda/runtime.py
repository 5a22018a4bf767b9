"""What a runtime of networks on NVIDIA GPUs is to the rest: it builds plans; programs run on a raw stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from fastpose.cuda.progress import Progress
from fastpose.model_forms import Shape

__all__ = [
    "CaptureRefused",
    "Carrier",
    "Element",
    "Gpu",
    "Job",
    "Layout",
    "Missing",
    "Port",
    "Program",
    "Runtime",
]

Element = Literal["f32", "f16", "bf16", "u8", "i32", "i64"]
Layout = Literal["nchw", "nhwc"]


class Missing(Exception):  # noqa: N818
    """A runtime that cannot be used here; the text is the reason and the way out, in one line."""


class CaptureRefused(Exception):  # noqa: N818
    """A network that cannot become a CUDA graph; the text is the reason."""


@dataclass(frozen=True)
class Gpu:
    """A GPU that engines are built for.

    Attributes
    ----------
    index : int
        As CUDA counts them; -1: none of this machine, plans are only built for it.
    name : str
    capability : tuple of int
        Compute capability, such as (8, 9).
    driver : str
        Newest CUDA that the driver runs, such as 13.1; empty: not known.
    """

    index: int
    name: str
    capability: tuple[int, int]
    driver: str = ""

    @property
    def sm(self) -> str:
        """``SM89``."""
        return f"SM{self.capability[0]}{self.capability[1]}"


@dataclass(frozen=True)
class Job:
    """One network at one input size, to be built.

    Attributes
    ----------
    file : Path
        ONNX; its types are those that it computes with.
    sha256 : str
        Of the file.
    precision : {"fp32", "fp16", "bf16", "int8"}
        What the file's types amount to.
    input_shape : tuple of int
        N, C, H, W.
    outputs : tuple of str
        Names, in the order the decoder wants.
    """

    file: Path
    sha256: str
    precision: str
    input_shape: Shape
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """A tensor that goes into or comes out of a program.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of the input always N, C, H, W, whatever its layout.
    element : str
    layout : str
        Of the input; outputs are dense.
    """

    name: str
    shape: tuple[int, ...]
    element: Element
    layout: Layout = "nchw"


class Carrier(Protocol):
    """The engine's graph around a network, which waits for it: `CudaNetwork` and `CudaBackend` of `_cuda`."""

    @property
    def stream(self) -> int:
        """A cudaStream_t, not the default one."""

    @property
    def input_address(self) -> int:
        """On the device; for the life of the carrier."""

    @property
    def output_addresses(self) -> Sequence[int]:
        """In the order of the program's outputs."""

    @property
    def capture_error(self) -> str:
        """Why nothing usable was captured."""

    def synchronize(self) -> None:
        """Wait for what is on the stream."""

    def begin_capture(self) -> None:
        """Capture what this thread puts on the stream."""

    def end_capture(self, good: bool = True) -> bool:
        """Whether what was captured is a graph; the stream is usable again either way."""

    def adopt_graph(self, graph: int) -> None:
        """Take a cudaGraph_t that another library captured."""

    def call_each_frame(self, call: Callable[[], bool]) -> None:
        """Have the network put on the stream by Python, frame by frame."""

    def keep(self, owner: object) -> None:
        """Keep something alive as long as the carrier."""

    def finish(self) -> None:
        """Build the whole graph and run it once."""


class Program(Protocol):
    """A network on one GPU, with fixed shapes and addresses. Thread-bound; kept as long as its graph."""

    @property
    def input(self) -> Port:
        """What goes in."""

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes out, in the order of the job."""

    @property
    def description(self) -> str:
        """Runtime, version, precision."""

    @property
    def extra(self) -> bytes:
        """What is worth keeping beside the plan after the first run; may be empty."""

    def bind(self, input_address: int, output_addresses: Sequence[int]) -> None:
        """Set the device addresses, for the life of the program."""

    def enqueue(self, stream: int) -> None:
        """Put one run on a raw cudaStream_t, which is not the default one; raises DeviceError."""

    def capture(self, carrier: Carrier) -> None:
        """Give one run to the carrier as a graph, after at least one `enqueue`; raises CaptureRefused."""


class Runtime(Protocol):
    """Builds and loads networks."""

    @property
    def name(self) -> str:
        """As the config calls it: tensorrt, tensorrt-rtx or torch."""

    @property
    def version(self) -> str:
        """Of the library; part of the cache's key."""

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those that it runs."""

    @property
    def keeps_plans(self) -> bool:
        """Whether plans are worth keeping."""

    def suits(self, gpu: Gpu, precision: str) -> str:
        """Why it cannot run on this GPU at this precision; empty where it can."""

    def build(self, job: Job, gpu: Gpu, progress: Progress) -> bytes:
        """Make the plan of a network; raises ModelError with what the runtime refuses, or DeviceError."""

    def load(self, plan: bytes, job: Job, gpu: Gpu, extra: bytes = b"") -> Program:
        """Make a plan ready on its GPU; raises DeviceError where it is none of this runtime and GPU."""
