"""A runtime that needs no GPU: plans are text, programs note what is asked of them; and a carrier for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastpose.cuda.progress import Progress
from fastpose.cuda.runtime import CaptureRefused, Carrier, Gpu, Job, Port
from fastpose.errors import DeviceError

GPU = Gpu(0, "Test GPU", (8, 9), "13.0")
JOB = Job(Path("model.onnx"), "ab" * 32, "fp16", (1, 3, 64, 96), ("heatmap", "locref"))


@dataclass
class FakeCarrier:
    """Notes the order of calls, as `CudaNetwork` takes them."""

    captures: bool = True
    calls: list[str] = field(default_factory=list)
    each_frame: Callable[[], bool] | None = None
    kept: list[object] = field(default_factory=list)
    stream: int = 77
    input_address: int = 1000
    output_addresses: Sequence[int] = (2000, 3000)
    capture_error: str = "cudaErrorStreamCaptureUnsupported"

    def synchronize(self) -> None:
        self.calls.append("synchronize")

    def begin_capture(self) -> None:
        self.calls.append("begin")

    def end_capture(self, good: bool = True) -> bool:
        self.calls.append(f"end {good}")
        return good and self.captures

    def adopt_graph(self, graph: int) -> None:
        self.calls.append(f"adopt {graph}")

    def call_each_frame(self, call: Callable[[], bool]) -> None:
        self.calls.append("each frame")
        self.each_frame = call

    def keep(self, owner: object) -> None:
        self.kept.append(owner)

    def finish(self) -> None:
        self.calls.append("finish")


class FakeProgram:
    """Runs, or fails, as its runtime says."""

    description = "fake 1.0, fp16"

    def __init__(self, runtime: FakeRuntime, job: Job) -> None:
        self._runtime = runtime
        self.extra = runtime.extra
        self.input = Port("frame", job.input_shape, "f32")
        self.outputs = tuple(Port(name, (1, 3, 8, 12), "f32") for name in job.outputs)
        self.addresses: list[int] = []
        self.runs = 0

    def bind(self, input_address: int, output_addresses: Sequence[int]) -> None:
        self.addresses = [input_address, *output_addresses]

    def enqueue(self, stream: int) -> None:
        assert stream and self.addresses
        if self._runtime.fails:
            raise DeviceError("fake cannot run the network")
        self.runs += 1

    def capture(self, carrier: Carrier) -> None:
        assert self.runs
        carrier.begin_capture()
        if not carrier.end_capture(True):
            raise CaptureRefused(f"fake refuses capture ({carrier.capture_error})")


@dataclass
class FakeRuntime:
    """A runtime whose plans are text."""

    name: str = "fake"
    version: str = "1.0"
    precisions: tuple[str, ...] = ("fp32", "fp16")
    keeps_plans: bool = True
    unsuited: str = ""
    refuses: Exception | None = None
    extra: bytes = b""
    fails: bool = False
    built: int = 0
    loaded: list[tuple[bytes, bytes]] = field(default_factory=list)
    bad_plans: tuple[bytes, ...] = ()

    def suits(self, gpu: Gpu, precision: str) -> str:
        return self.unsuited

    def build(self, job: Job, gpu: Gpu, progress: Progress) -> bytes:
        if self.refuses is not None:
            raise self.refuses
        self.built += 1
        progress("layers", self.built, 3)
        return f"plan {self.built} of {job.sha256[:4]} for {gpu.sm}".encode()

    def load(self, plan: bytes, job: Job, gpu: Gpu, extra: bytes = b"") -> FakeProgram:
        if plan in self.bad_plans:
            raise DeviceError("fake does not take this plan")
        self.loaded.append((plan, extra))
        return FakeProgram(self, job)
