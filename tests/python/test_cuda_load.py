"""Which runtime runs, what is said of those that do not, and how a program comes into the engine's graph."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fastpose.cache import cache_in
from fastpose.cuda import load
from fastpose.cuda.load import choose_runtime, install, load_program
from fastpose.cuda.runtime import Missing
from fastpose.errors import DeviceError, ModelError
from gpu_fakes import GPU, JOB, FakeCarrier, FakeRuntime


def absent() -> FakeRuntime:
    raise Missing("tensorrt is not installed")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path) -> Iterator[None]:
    with cache_in(tmp_path / "cache"):
        yield


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> list[FakeRuntime]:
    """Runtimes a, b, c in this order; their attributes may be changed."""
    runtimes = [FakeRuntime(name) for name in "abc"]
    monkeypatch.setattr(load, "ORDER", {each.name: lambda each=each: each for each in runtimes})
    return runtimes


def test_the_order_is_tensorrt_rtx_torch() -> None:
    assert list(load.ORDER) == ["tensorrt", "tensorrt-rtx", "torch"]


def test_auto_takes_the_first_and_says_why_not_the_others(
    three: list[FakeRuntime], monkeypatch: pytest.MonkeyPatch
) -> None:
    three[1].unsuited = "b runs on SM75; Test GPU is SM89"
    monkeypatch.setitem(load.ORDER, "a", absent)
    runtime, skipped = choose_runtime("auto", GPU, "fp16")
    assert runtime is three[2]
    assert skipped == (
        "runtime auto: tensorrt is not installed",
        "runtime auto: b runs on SM75; Test GPU is SM89",
    )


def test_what_is_asked_for_by_name_is_never_replaced(three: list[FakeRuntime]) -> None:
    three[1].unsuited = "b runs on SM75"
    with pytest.raises(DeviceError, match=r"cuda:0 \(Test GPU\), precision fp16: runtime b: b runs on SM75"):
        choose_runtime("b", GPU, "fp16")
    with pytest.raises(DeviceError, match=r"runtime is 'd'; allowed: auto, a, b, c"):
        choose_runtime("d", GPU, "fp16")


def test_nothing_to_run_on_names_every_reason(three: list[FakeRuntime]) -> None:
    for each in three:
        each.unsuited = f"{each.name} is too old"
    with pytest.raises(
        DeviceError, match=r"no runtime can be used: a is too old; b is too old; c is too old"
    ):
        choose_runtime("auto", GPU, "fp16")


def test_missing_libraries_name_their_extras() -> None:
    with pytest.raises(Missing, match=r"pip install \"fastpose-rig\[tensorrt\]\""):
        load.ORDER["tensorrt"]()


def test_auto_goes_on_where_a_runtime_refuses_the_network(three: list[FakeRuntime]) -> None:
    three[0].refuses = ModelError("a refuses model.onnx: NonZero")
    loaded = load_program(JOB, GPU)
    assert loaded.runtime is three[1]
    assert loaded.notes == ("runtime auto: a refuses model.onnx: NonZero",)


def test_a_refusal_of_what_was_asked_for_is_the_error(three: list[FakeRuntime]) -> None:
    three[0].refuses = ModelError("a refuses model.onnx: NonZero")
    with pytest.raises(ModelError, match="NonZero"):
        load_program(JOB, GPU, "a")


def test_progress_is_shown(three: list[FakeRuntime], capsys: pytest.CaptureFixture[str]) -> None:
    load_program(JOB, GPU, "a", what="mouse")
    told = capsys.readouterr().err
    assert "building a engine of mouse (fp16, 1x3x64x96) for Test GPU" in told and "built a engine" in told
    load_program(JOB, GPU, "a", what="mouse")
    assert capsys.readouterr().err == ""  # from the cache


def test_graphs_that_are_made_at_once_share_one_build(three: list[FakeRuntime]) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import copy_context

    started = threading.Barrier(2)

    def load_one() -> bool:
        started.wait(10)
        return load_program(JOB, GPU, "a").plan.cached

    with ThreadPoolExecutor(2) as threads:
        found = [threads.submit(copy_context().run, load_one) for _ in range(2)]
        assert sorted(each.result() for each in found) == [False, True]


def test_a_kept_plan_that_does_not_load_is_built_again(three: list[FakeRuntime]) -> None:
    load_program(JOB, GPU, "a")
    three[0].bad_plans = (b"plan 1 of abab for SM89",)
    loaded = load_program(JOB, GPU, "a")
    assert loaded.plan.content == b"plan 2 of abab for SM89"
    assert loaded.notes == ("engine cache: fake does not take this plan; built again",)
    assert load_program(JOB, GPU, "a").notes == ()


def test_a_program_is_run_before_it_is_captured(three: list[FakeRuntime]) -> None:
    carrier = FakeCarrier()
    loaded = load_program(JOB, GPU, "a")
    assert install(loaded, carrier) == ()
    assert carrier.calls == ["synchronize", "begin", "end True", "finish"]
    assert loaded.program.addresses == [1000, 2000, 3000]  # type: ignore[attr-defined]
    assert carrier.kept == [loaded.program] and carrier.each_frame is None


def test_where_capture_is_refused_python_starts_the_network_and_that_is_said(
    three: list[FakeRuntime],
) -> None:
    carrier = FakeCarrier(captures=False)
    loaded = load_program(JOB, GPU, "a")
    notes = install(loaded, carrier)
    assert len(notes) == 1 and "cudaErrorStreamCaptureUnsupported" in notes[0]
    assert "Python starts the network for each frame" in notes[0]
    assert carrier.calls[-2:] == ["each frame", "finish"]
    assert carrier.each_frame is not None and carrier.each_frame()
    three[0].fails = True
    assert not carrier.each_frame()


def test_what_the_first_run_adds_comes_back_with_the_plan(three: list[FakeRuntime]) -> None:
    three[0].extra = b"kernels"
    install(load_program(JOB, GPU, "a"), FakeCarrier())
    load_program(JOB, GPU, "a")
    assert three[0].loaded[-1][1] == b"kernels"


def test_bf16_and_other_precisions_are_other_plans(three: list[FakeRuntime]) -> None:
    load_program(JOB, GPU, "a")
    load_program(replace(JOB, precision="fp32"), GPU, "a")
    assert three[0].built == 2
