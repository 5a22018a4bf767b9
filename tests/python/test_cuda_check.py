"""`fastpose check` of a network on a GPU: what would run and why, or what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulated_gpu import emulated_gpu
from fastpose.config import Model
from fastpose.cuda import check, gpu
from fastpose.cuda.check import check_gpu
from fastpose.errors import DeviceError
from gpu_fakes import GPU


def findings(**model: Any) -> list[tuple[str, str]]:
    spec = Model(path="builtin:simulated_mouse", device="cuda:0", **model)
    return [(found.level, str(found)) for found in check_gpu("model", spec)]


def test_where_fastpose_was_built_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(gpu, "import_module", missing)
    (found,) = findings()
    assert found[0] == "problem"
    assert "model.device: device cuda: fastpose was built without CUDA" in found[1]
    assert "FASTPOSE_CUDA=ON" in found[1]
    assert not gpu.has_gpu()


@pytest.mark.parametrize(
    ("device", "index"), [("cuda", 0), ("cuda:0", 0), ("cuda:3", 3), ("cpu", None), ("cuda:x", None)]
)
def test_names_of_devices(device: str, index: int | None) -> None:
    assert gpu.is_cuda(device) == (index is not None)
    if index is not None:
        assert gpu.index_of(device) == index


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "find_gpu", lambda device: GPU)


def test_nothing_that_runs_it_names_each_runtime(with_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> Any:
        raise DeviceError("no runtime can be used: tensorrt cannot be loaded")

    monkeypatch.setattr(check, "choose_runtime", nothing)
    device, runtime = findings()
    assert device[0] == "ok" and "cuda:0: Test GPU (SM89), driver for CUDA 13.0" in device[1]
    assert runtime == ("problem", "model.runtime: no runtime can be used: tensorrt cannot be loaded")


def test_a_precision_that_the_package_lacks(with_gpu: None) -> None:
    assert findings(precision="int8")[1][0] == "problem"
    assert "--device cuda --precision int8" in findings(precision="int8")[1][1]


@pytest.fixture
def emulated() -> Iterator[None]:
    with emulated_gpu():
        yield


def test_all_is_well(emulated: None) -> None:
    found = findings()
    assert [level for level, _ in found] == ["ok", "ok", "ok"]
    assert "auto: fp32; runs in fp32 on the GPU: fastpose optimize" in found[1][1]
    assert found[2][1] == "model.runtime: host 1"
