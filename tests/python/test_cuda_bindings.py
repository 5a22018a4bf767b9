"""The calls to TensorRT, against what its bindings of 10.x, 11.x and TensorRT-RTX have.

`golden/nvinfer_api.json` lists their names (tools/record_nvinfer_api.py). Here stand objects that have those
names and no other, so that a call which a version lacks fails as it would there.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from fastpose.cuda import nvinfer
from fastpose.cuda.nvinfer import Nvinfer
from fastpose.cuda.runtime import CaptureRefused, Gpu, Missing
from fastpose.errors import DeviceError, ModelError
from gpu_fakes import GPU, JOB, FakeCarrier

TABLES: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "nvinfer_api.json").read_text())


class Bindings:
    """A module with the names of one version; what its network and engine say can be set."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._classes = table["classes"]
        self.network = self.made("INetworkDefinition", num_inputs=1, num_outputs=3)
        self.outputs = [self.made("ITensor") for _ in range(3)]
        for tensor, name in zip(self.outputs, ("heatmap", "locref", "more"), strict=True):
            tensor.name = name
        self.network.get_output.side_effect = lambda index: self.outputs[index]
        self.config = self.made("IBuilderConfig")
        self.parser = self.made("OnnxParser", num_errors=0)
        self.parser.parse_from_file.return_value = True
        self.builder = self.made("Builder")
        self.builder.create_network.return_value = self.network
        self.builder.create_builder_config.return_value = self.config
        self.builder.build_serialized_network.return_value = b"plan"
        self.context = self.made("IExecutionContext")
        self.context.set_input_shape.return_value = self.context.set_tensor_address.return_value = True
        self.context.infer_shapes.return_value = []
        self.context.execute_async_v3.return_value = True
        self.context.get_tensor_shape.return_value = (1, 3, 64, 96)
        self.engine = self.made("ICudaEngine", num_io_tensors=3)
        self.engine.get_tensor_name.side_effect = ("frame", "heatmap", "locref").__getitem__
        self.engine.create_execution_context.return_value = self.context
        self.runtime = self.made("Runtime")
        self.runtime.deserialize_cuda_engine.return_value = self.engine
        self.module = self._module(table)
        mode = self.module.TensorIOMode
        self.engine.get_tensor_mode.side_effect = lambda name: mode.INPUT if name == "frame" else mode.OUTPUT
        self.engine.get_tensor_dtype.side_effect = lambda name: (
            "DataType.HALF" if name == "frame" else "DataType.FLOAT"
        )
        self._runtime_config()

    def made(self, name: str, **values: Any) -> MagicMock:
        """An object with the attributes of a class, and no other."""
        made = MagicMock(spec=self._classes[name])
        made.configure_mock(**values)
        return made

    def _module(self, table: dict[str, Any]) -> Any:
        names = {name: self._enum(name) for name in table["module"] if name in self._classes}
        module: Any = ModuleType("trt")
        vars(module).update(names, __version__=table["version"])
        module.Builder = lambda log: self.builder
        module.OnnxParser = lambda network, log: self.parser
        module.Runtime = lambda log: self.runtime
        severity = SimpleNamespace(ERROR=1, WARNING=2, INTERNAL_ERROR=0)
        module.ILogger = type("ILogger", (), {"__init__": lambda self: None, "Severity": severity})
        module.IProgressMonitor = type("IProgressMonitor", (), {"__init__": lambda self: None})
        module.NetworkDefinitionCreationFlag.STRONGLY_TYPED = 1
        return module

    def _enum(self, name: str) -> Any:
        return SimpleNamespace(**{member: f"{name}.{member}" for member in self._classes[name]})

    def _runtime_config(self) -> None:
        config = self.made("IRuntimeConfig")
        self.engine.create_runtime_config.return_value = config
        if "IRuntimeCache" in self._classes:
            cache = self.made("IRuntimeCache")
            cache.serialize.return_value = b"kernels"
            config.create_runtime_cache.return_value = cache
            self.cache = cache


@pytest.fixture(params=sorted(TABLES))
def bindings(request: pytest.FixtureRequest) -> Bindings:
    return Bindings(TABLES[request.param])


def library(bindings: Bindings) -> Nvinfer:
    return Nvinfer("tensorrt", bindings.module, lambda gpu: "")


def build(bindings: Bindings, precision: str = "fp16") -> bytes:
    from dataclasses import replace

    return library(bindings).build(replace(JOB, precision=precision), GPU, lambda *_: None)


def test_the_versions_that_are_recorded() -> None:
    majors = {name.partition(" ")[2].partition(".")[0] or name for name in TABLES}
    assert majors == {"10", "11", "tensorrt-rtx"}


def test_a_build_calls_what_every_version_has(bindings: Bindings) -> None:
    assert build(bindings) == b"plan"
    bindings.builder.create_network.assert_called_once_with(1 << 1)
    assert bindings.network.get_input(0).shape == JOB.input_shape
    bindings.network.unmark_output.assert_called_once_with(bindings.outputs[2])
    assert bindings.config.progress_monitor.step_complete("layers", 1)


def test_rtx_builds_for_the_gpu_and_user_memory_others_get_a_workspace(bindings: Bindings) -> None:
    build(bindings)
    if "ComputeCapability" in vars(bindings.module):
        bindings.config.set_compute_capability.assert_called_once_with("ComputeCapability.SM89", 0)
        bindings.config.set_flag.assert_called_once_with("BuilderFlag.REQUIRE_USER_ALLOCATION")
    else:
        bindings.config.set_memory_pool_limit.assert_called_once_with("MemoryPoolType.WORKSPACE", 1 << 30)


@pytest.mark.parametrize(("precision", "cleared"), [("fp32", True), ("fp16", False)])
def test_fp32_means_fp32(bindings: Bindings, precision: str, cleared: bool) -> None:
    build(bindings, precision)
    assert bindings.config.clear_flag.called == cleared


def test_refusals_come_with_the_librarys_reason(bindings: Bindings) -> None:
    error = bindings.made("ParserError")
    error.node_operator.return_value, error.desc.return_value = "NonZero", "no plugin\nfor it"
    bindings.parser.parse_from_file.return_value = False
    bindings.parser.num_errors, bindings.parser.get_error.return_value = 1, error
    with pytest.raises(ModelError, match=r"refuses model.onnx: NonZero no plugin for it$"):
        build(bindings)
    bindings.parser.parse_from_file.return_value = True
    bindings.builder.build_serialized_network.return_value = None
    with pytest.raises(ModelError, match=r"cannot build model.onnx for SM89 \(fp16\): no reason given"):
        build(bindings)


def test_a_program_is_bound_run_and_captured(bindings: Bindings) -> None:
    program = library(bindings).load(b"plan", JOB, GPU, b"kernels of before")
    assert (program.input.name, program.input.element) == ("frame", "f16")
    assert [(port.name, port.element) for port in program.outputs] == [("heatmap", "f32"), ("locref", "f32")]
    carrier = FakeCarrier()
    program.bind(carrier.input_address, carrier.output_addresses)
    addresses = [call.args for call in bindings.context.set_tensor_address.call_args_list]
    assert addresses == [("frame", 1000), ("heatmap", 2000), ("locref", 3000)]
    program.enqueue(carrier.stream)
    program.capture(carrier)
    assert carrier.calls == ["begin", "end True"]
    assert [call.args for call in bindings.context.execute_async_v3.call_args_list] == [(77,), (77,)]


def test_kernels_of_rtx_are_kept(bindings: Bindings) -> None:
    program = library(bindings).load(b"plan", JOB, GPU, b"kernels of before")
    if "IRuntimeCache" in vars(bindings)["_classes"]:
        bindings.cache.deserialize.assert_called_once_with(b"kernels of before")
        assert program.extra == b"kernels"
    else:
        assert program.extra == b""


def test_capture_that_fails_ends_the_capture_and_is_refused(bindings: Bindings) -> None:
    program = library(bindings).load(b"plan", JOB, GPU)
    carrier = FakeCarrier()
    bindings.context.execute_async_v3.return_value = False
    with pytest.raises(CaptureRefused, match="tensorrt refuses capture"):
        program.capture(carrier)
    assert carrier.calls == ["begin", "end False"]
    bindings.context.execute_async_v3.side_effect = RuntimeError("driver")
    with pytest.raises(RuntimeError):
        program.capture(carrier)
    assert carrier.calls[-1] == "end False"


def test_failures_are_device_errors(bindings: Bindings) -> None:
    program = library(bindings).load(b"plan", JOB, GPU)
    bindings.context.execute_async_v3.return_value = False
    with pytest.raises(DeviceError, match="cannot run the network"):
        program.enqueue(5)
    bindings.context.set_tensor_address.return_value = False
    with pytest.raises(DeviceError, match="refuses the address of 'frame'"):
        program.bind(1, (2, 3))
    bindings.runtime.deserialize_cuda_engine.return_value = None
    with pytest.raises(DeviceError, match="does not take this plan on Test GPU"):
        library(bindings).load(b"plan", JOB, GPU)


def test_only_rtx_builds_without_a_gpu(bindings: Bindings) -> None:
    nowhere = Gpu(-1, "elsewhere", (8, 9))
    if library(bindings).builds_for_others:
        assert library(bindings).build(JOB, nowhere, lambda *_: None) == b"plan"
    else:
        with pytest.raises(DeviceError, match="there is none; use tensorrt-rtx"):
            library(bindings).build(JOB, nowhere, lambda *_: None)


def test_other_versions_are_refused_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvinfer, "import_module", lambda name: SimpleNamespace(__version__="8.6.1"))
    with pytest.raises(Missing, match=r"tensorrt is 8.6.1; allowed: 10.x and 11.x.*fastpose-rig\[tensorrt\]"):
        nvinfer.open_tensorrt()
    with pytest.raises(Missing, match=r"tensorrt-rtx is 8.6.1; allowed: 1.x.*fastpose-rig\[tensorrt-rtx\]"):
        nvinfer.open_tensorrt_rtx()
