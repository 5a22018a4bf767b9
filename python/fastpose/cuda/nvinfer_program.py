"""A plan of TensorRT or TensorRT-RTX on its GPU: bound, run on a raw stream, captured as trtexec does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastpose.cuda.runtime import CaptureRefused, Carrier, Element, Job, Port
from fastpose.errors import DeviceError, ModelError

if TYPE_CHECKING:
    from fastpose.cuda.nvinfer import Nvinfer

__all__ = ["NvinferProgram"]

_ELEMENTS: dict[str, Element] = {
    "FLOAT": "f32",
    "HALF": "f16",
    "BF16": "bf16",
    "UINT8": "u8",
    "INT32": "i32",
    "INT64": "i64",
}


class NvinferProgram:
    """An execution context with fixed shapes; see `fastpose.cuda.runtime.Program`."""

    def __init__(
        self, library: Nvinfer, runtime: Any, engine: Any, job: Job, log: Any, extra: bytes = b""
    ) -> None:
        self._library, self._job, self._log = library, job, log
        self._runtime, self._engine = runtime, engine  # kept: the context lives in them
        self._kernels = _kernel_cache(engine, extra)
        self._context = self._make_context()
        if self._context is None:
            raise DeviceError(f"{library.name}: no room for the network on the GPU ({log.text})")
        inputs = [name for name in self._names() if self._is_input(name)]
        if len(inputs) != 1:
            raise ModelError(f"the plan of {job.file.name} has {len(inputs)} inputs; allowed: one")
        if not self._context.set_input_shape(inputs[0], job.input_shape):
            raise DeviceError(f"the plan of {job.file.name} does not take {job.input_shape}; build it again")
        self._input = self._port(inputs[0])
        self._outputs = tuple(map(self._port, job.outputs))

    @property
    def input(self) -> Port:
        """What goes in."""
        return self._input

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What comes out."""
        return self._outputs

    @property
    def description(self) -> str:
        """Runtime, version, precision."""
        return f"{self._library.name} {self._library.version}, {self._job.precision}"

    @property
    def extra(self) -> bytes:
        """Kernels that TensorRT-RTX compiled on this GPU, to be kept beside the plan; empty elsewhere."""
        return bytes(memoryview(self._kernels[1].serialize())) if self._kernels else b""

    def bind(self, input_address: int, output_addresses: Sequence[int]) -> None:
        """Set the address of every port."""
        names = (self._input.name, *(port.name for port in self._outputs))
        for name, address in zip(names, (input_address, *output_addresses), strict=True):
            if not self._context.set_tensor_address(name, address):
                raise DeviceError(f"{self._library.name} refuses the address of {name!r}: {self._log.text}")
        unknown = self._context.infer_shapes()
        if unknown:
            raise DeviceError(f"{self._library.name} does not know the shapes of {', '.join(unknown)}")

    def enqueue(self, stream: int) -> None:
        """Put one run on a stream."""
        if not self._context.execute_async_v3(stream):
            raise DeviceError(f"{self._library.name} cannot run the network: {self._log.text}")

    def capture(self, carrier: Carrier) -> None:
        """One run as a graph; what a library does on its first run must be over."""
        capturable = getattr(self._context, "is_stream_capturable", None)  # TensorRT-RTX alone
        if capturable is not None and not capturable(carrier.stream):
            raise CaptureRefused(f"{self._library.name} says that this network cannot be captured")
        ran = False
        carrier.begin_capture()
        try:
            ran = bool(self._context.execute_async_v3(carrier.stream))
        finally:
            usable = carrier.end_capture(ran)
        if not usable:
            why = carrier.capture_error or self._log.text or "no reason given"
            raise CaptureRefused(f"{self._library.name} refuses capture ({why})")

    def _make_context(self) -> Any:
        if self._kernels is None:
            return self._engine.create_execution_context()
        return self._engine.create_execution_context(self._kernels[0])

    def _names(self) -> list[str]:
        return [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]

    def _is_input(self, name: str) -> bool:
        return bool(self._engine.get_tensor_mode(name) == self._library.module.TensorIOMode.INPUT)

    def _port(self, name: str) -> Port:
        element = str(self._engine.get_tensor_dtype(name)).rpartition(".")[2]
        if element not in _ELEMENTS:
            raise ModelError(
                f"{name!r} of {self._job.file.name} is {element}; allowed: {', '.join(_ELEMENTS)}"
            )
        return Port(name, tuple(self._context.get_tensor_shape(name)), _ELEMENTS[element])


def _kernel_cache(engine: Any, extra: bytes) -> tuple[Any, Any] | None:
    """Runtime config and cache of TensorRT-RTX; None elsewhere."""
    config = engine.create_runtime_config() if hasattr(engine, "create_runtime_config") else None
    if config is None or not hasattr(config, "create_runtime_cache"):
        return None
    cache = config.create_runtime_cache()
    if extra:
        cache.deserialize(extra)  # of another driver or damaged: it compiles again
    config.set_runtime_cache(cache)
    return config, cache
