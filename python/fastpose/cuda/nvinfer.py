"""TensorRT (10.x, 11.x) and TensorRT-RTX: two libraries with one Python API, but for what is named here.

Note [one API]: Both parse ONNX into a strongly typed network: precision is in the graph's own types, never in
builder flags, which 11.x and RTX no longer have. TensorRT builds on the GPU that will run; RTX builds for a
compute capability, without any GPU, and compiles its kernels when the plan is first run: what it compiled is
kept beside the plan. A plan that is to be captured needs static shapes, and under RTX memory that the caller
allocates (REQUIRE_USER_ALLOCATION).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fastpose.cuda.nvinfer_log import log_of, monitor_of
from fastpose.cuda.nvinfer_program import NvinferProgram
from fastpose.cuda.progress import Progress
from fastpose.cuda.runtime import Gpu, Job, Missing
from fastpose.errors import DeviceError, ModelError

__all__ = ["Nvinfer", "open_tensorrt", "open_tensorrt_rtx"]

WORKSPACE_BYTES = 1 << 30
RTX_CAPABILITIES = ((7, 5), (8, 0), (8, 6), (8, 9), (12, 0), (12, 1))
LEAST_CAPABILITY = (7, 5)
LEAST_FOR_BF16 = (8, 0)
PRECISIONS = ("fp32", "fp16", "bf16", "int8")


def open_tensorrt() -> Nvinfer:
    """TensorRT, if it is installed in a version that is known; raises Missing."""
    module = _imported("tensorrt", "tensorrt")
    if _major(module) not in (10, 11):
        raise Missing(
            f"tensorrt is {module.__version__}; allowed: 10.x and 11.x, install one with: "
            'pip install "fastpose-rig[tensorrt]"'
        )
    return Nvinfer("tensorrt", module, _suits_tensorrt)


def open_tensorrt_rtx() -> Nvinfer:
    """TensorRT-RTX, if it is installed in a version that is known; raises Missing."""
    module = _imported("tensorrt_rtx", "tensorrt-rtx")
    if _major(module) != 1:
        raise Missing(
            f"tensorrt-rtx is {module.__version__}; allowed: 1.x, install it with: "
            'pip install "fastpose-rig[tensorrt-rtx]"'
        )
    return Nvinfer("tensorrt-rtx", module, _suits_rtx)


def _imported(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        why = " ".join(str(error).split())
        raise Missing(
            f'{extra} cannot be loaded ({why}); install it with: pip install "fastpose-rig[{extra}]"'
        ) from None


def _major(module: Any) -> int:
    return int(str(module.__version__).partition(".")[0])


def _suits_tensorrt(gpu: Gpu) -> str:
    if gpu.capability < LEAST_CAPABILITY:
        return f"TensorRT needs SM75 or newer, {gpu.name} is {gpu.sm}"
    return ""


def _suits_rtx(gpu: Gpu) -> str:
    if gpu.capability in RTX_CAPABILITIES:
        return ""
    allowed = ", ".join(f"SM{major}{minor}" for major, minor in RTX_CAPABILITIES)
    return f"TensorRT-RTX runs on {allowed}; {gpu.name} is {gpu.sm}"


@dataclass(frozen=True)
class Nvinfer:
    """One of the two libraries; a `fastpose.cuda.runtime.Runtime`."""

    name: str
    module: Any
    suits_gpu: Callable[[Gpu], str]
    precisions: tuple[str, ...] = PRECISIONS
    keeps_plans: bool = True

    @property
    def version(self) -> str:
        """Of the library."""
        return str(self.module.__version__)

    @property
    def builds_for_others(self) -> bool:
        """Whether it builds for a GPU that is not here."""
        return hasattr(self.module, "ComputeCapability")

    def suits(self, gpu: Gpu, precision: str) -> str:
        """See `fastpose.cuda.runtime.Runtime.suits`."""
        if precision == "bf16" and gpu.capability < LEAST_FOR_BF16:
            return f"bf16 needs SM80 or newer, {gpu.name} is {gpu.sm}; allowed there: fp32, fp16, int8"
        return self.suits_gpu(gpu)

    def build(self, job: Job, gpu: Gpu, progress: Progress) -> bytes:
        """See `fastpose.cuda.runtime.Runtime.build`; without a GPU under TensorRT-RTX alone."""
        if gpu.index < 0 and not self.builds_for_others:
            raise DeviceError(f"{self.name} builds on the GPU that runs, and there is none; use tensorrt-rtx")
        trt, log = self.module, log_of(self.module)
        builder = trt.Builder(log)
        network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        parser = trt.OnnxParser(network, log)
        if not parser.parse_from_file(str(job.file)):
            raise ModelError(f"{self.name} {self.version} refuses {job.file.name}: {_refused(parser)}")
        _fix_shape(network, job)
        _keep_outputs(network, job)
        config = self._config(builder, job, gpu, progress)
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            raise ModelError(
                f"{self.name} {self.version} cannot build {job.file.name} for {gpu.sm} ({job.precision}): "
                f"{log.text or 'no reason given'}"
            )
        return bytes(memoryview(plan))

    def load(self, plan: bytes, job: Job, gpu: Gpu, extra: bytes = b"") -> NvinferProgram:
        """See `fastpose.cuda.runtime.Runtime.load`; `extra`: what `NvinferProgram.extra` gave before."""
        if gpu.index < 0:  # without a driver some versions crash where they should say so
            raise DeviceError(f"{self.name}: a plan runs on a GPU, and there is none")
        log = log_of(self.module)
        runtime = self.module.Runtime(log)
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise DeviceError(
                f"{self.name} {self.version} does not take this plan on {gpu.name}: "
                f"{log.text or 'no reason given'}"
            )
        return NvinferProgram(self, runtime, engine, job, log, extra)

    def _config(self, builder: Any, job: Job, gpu: Gpu, progress: Progress) -> Any:
        trt, config = self.module, builder.create_builder_config()
        config.progress_monitor = monitor_of(trt, progress)
        if job.precision == "fp32":
            config.clear_flag(trt.BuilderFlag.TF32)  # ten bits of mantissa are not what was asked for
        if self.builds_for_others:
            config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
            config.num_compute_capabilities = 1
            config.set_compute_capability(getattr(trt.ComputeCapability, gpu.sm), 0)
            return config
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
        return config


def _refused(parser: Any) -> str:
    errors = (parser.get_error(index) for index in range(parser.num_errors))
    return "; ".join(" ".join(f"{error.node_operator()} {error.desc()}".split()) for error in errors)


def _fix_shape(network: Any, job: Job) -> None:
    if network.num_inputs != 1:
        raise ModelError(f"{job.file.name} has {network.num_inputs} inputs; allowed: one, (N, C, H, W)")
    network.get_input(0).shape = job.input_shape


def _keep_outputs(network: Any, job: Job) -> None:
    """Leave only the job's outputs, so that nothing is computed for others."""
    tensors = {tensor.name: tensor for tensor in map(network.get_output, range(network.num_outputs))}
    missing = [name for name in job.outputs if name not in tensors]
    if missing:
        raise ModelError(f"{job.file.name} has no output {missing[0]!r}; it has: {', '.join(tensors)}")
    for name, tensor in tensors.items():
        if name not in job.outputs:
            network.unmark_output(tensor)
