"""Checks of a GPU before a session: driver, device, runtime, the form of the network."""

from __future__ import annotations

from collections.abc import Iterator

from fastpose.config import Model
from fastpose.cuda.forms import gpu_form_of, gpu_hint
from fastpose.cuda.gpu import find_gpu
from fastpose.cuda.load import choose_runtime
from fastpose.errors import DeviceError, ModelError
from fastpose.finding import Finding, ok, problem
from fastpose.model_package import read_model_package

__all__ = ["check_gpu"]


def check_gpu(path: str, model: Model) -> Iterator[Finding]:
    """Say what would run a network on a GPU, and why not what `auto` prefers."""
    try:
        gpu = find_gpu(model.device)
    except DeviceError as error:
        yield problem(f"{path}.device", str(error))
        return
    yield ok(f"{path}.device", f"cuda:{gpu.index}: {gpu.name} ({gpu.sm}), driver for CUDA {gpu.driver}")
    try:
        package = read_model_package(model.folder)
        form = gpu_form_of(package, model.precision)
        runtime, skipped = choose_runtime(model.runtime, gpu, form.precision)
    except ModelError as error:
        yield problem(f"{path}.precision", str(error))
        return
    except DeviceError as error:
        yield problem(f"{path}.runtime", str(error))
        return
    hint = gpu_hint(package) if model.precision == "auto" else ""
    yield ok(f"{path}.precision", f"{model.precision}: {form.text()}{'; ' + hint if hint else ''}")
    yield ok(f"{path}.runtime", "; ".join((f"{runtime.name} {runtime.version}", *skipped)))
