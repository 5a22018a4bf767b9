"""Tests of clocks, chunks and counters of Basler cameras: what no emulator has, on features made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import basler  # noqa: F401  skips where pypylon is not
from fastpose import _core
from fastpose.errors import CameraError
from fastpose.hosts.common import FRAME_CLOCK_UNFITTED, now_ns
from fastpose.hosts.pylon_chunks import ChunkReader, enable_chunks
from fastpose.hosts.pylon_clock import latching
from fastpose.hosts.pylon_options import Delivered
from fastpose.hosts.pylon_timing import FrameTiming, counter_kind

DELIVERED = Delivered((640, 480), "mono8", 640 * 480, 100.0, 2000.0, None)


class Features:
    """Stands for `Nodes`: features with values and choices; commands are functions."""

    def __init__(self, values: dict[str, Any], choices: dict[str, list[str]] | None = None) -> None:
        self.values, self._choices = values, choices or {}
        self.set: list[tuple[str, Any]] = []

    def find(self, *names: str) -> Any:
        name = next((name for name in names if name in self.values), None)
        return None if name is None else SimpleNamespace(Value=self.values[name])

    writable = find

    def number(self, *names: str) -> float | None:
        node = self.find(*names)
        return None if node is None else float(node.Value)

    def text(self, *names: str) -> str | None:
        node = self.find(*names)
        return None if node is None else str(node.Value)

    def choices(self, name: str) -> list[str]:
        return self._choices.get(name, [])

    def set_feature(self, name: str, value: Any) -> None:
        self.set.append((name, value))

    def choose(self, key: str, value: str, name: str) -> str:
        assert value in self.choices(name)
        self.set.append((name, value))
        return value

    def execute(self, *names: str) -> bool:
        command = next((self.values[name] for name in names if name in self.values), None)
        if command is None:
            return False
        command()
        return True


def ticking(ticks_per_s: int, *, gige: bool, drift_ppm: float = 0.0) -> Features:
    """A camera whose clock began at 5,000 ticks and whose frequency is `ticks_per_s`."""
    begin_ns = now_ns()
    latch = (
        ("GevTimestampControlLatch", "GevTimestampValue")
        if gige
        else ("TimestampLatch", "TimestampLatchValue")
    )

    def latch_now() -> None:
        elapsed_ns = (now_ns() - begin_ns) * (1 + drift_ppm * 1e-6)
        features.values[latch[1]] = 5_000 + int(elapsed_ns * ticks_per_s / 1e9)

    features = Features({latch[0]: latch_now, latch[1]: 0})
    if gige:
        features.values["GevTimestampTickFrequency"] = ticks_per_s
    return features


@pytest.mark.parametrize(("gige", "ticks_per_s"), [(False, 1_000_000_000), (True, 125_000_000)])
def test_ticks_become_host_time_whatever_their_frequency(gige: bool, ticks_per_s: int) -> None:
    features = ticking(ticks_per_s, gige=gige)
    reader = latching(features)
    assert reader is not None
    fit = _core.ClockFit()
    for _ in range(8):
        fit.add(*reader.read())
    before_ns, camera_ns, after_ns = reader.read()
    assert before_ns <= after_ns
    assert abs(fit.to_host_ns(camera_ns) - (before_ns + after_ns) // 2) < 20_000_000
    assert reader.to_ns(ticks_per_s) == 1_000_000_000


def test_a_camera_without_a_latch_has_no_reader() -> None:
    assert latching(Features({"TimestampLatch": None})) is None
    assert latching(Features({})) is None


def result(block_id: int, ticks: int, **chunks: int) -> Any:
    nodes = {name: SimpleNamespace(IsReadable=lambda: True, Value=value) for name, value in chunks.items()}
    return SimpleNamespace(BlockID=block_id, TimeStamp=ticks, **nodes)


def test_exposures_get_their_time_and_its_error() -> None:
    features = ticking(1_000_000_000, gige=False)
    timing = FrameTiming(())
    with timing.following(features, "BaslerUsb", DELIVERED):
        features.values["TimestampLatch"]()
        ticks, exposed_ns = features.values["TimestampLatchValue"], now_ns()
        made = timing.stamps(result(7, ticks), exposed_ns + 5_000_000)
        assert made.camera_timestamp_ns == ticks and made.camera_counter == 7
        assert abs(made.exposure_start_ns - exposed_ns) < 20_000_000
        assert made.exposure_error_ns > 0 and not made.flags & FRAME_CLOCK_UNFITTED
        assert "ppm" in timing.report()


def test_chunks_go_before_the_transports_own() -> None:
    timing = FrameTiming(("timestamp", "counter"))
    with timing.following(Features({}), "BaslerUsb", DELIVERED):
        first = timing.stamps(result(0, 1, ChunkTimestamp=500, ChunkCounterValue=41), now_ns())
        second = timing.stamps(result(1, 2, ChunkTimestamp=600, ChunkCounterValue=43), now_ns())
    assert (first.camera_timestamp_ns, second.camera_timestamp_ns) == (500, 600)
    assert second.camera_counter - first.camera_counter == 2  # one frame never left the camera


def test_a_frame_without_its_chunk_falls_back_on_nothing_else_s() -> None:
    assert ChunkReader("timestamp")(result(0, 1)) is None
    assert ChunkReader("counter")(result(0, 1, ChunkFramecounter=3)) == 3


def test_chunks_are_enabled_one_by_one() -> None:
    features = Features(
        {"ChunkModeActive": 0, "CounterReset": lambda: None},
        {
            "ChunkSelector": ["Gain", "Timestamp", "CounterValue"],
            "BslChunkTimestampSelector": ["ExposureStart", "FrameStart"],
            "CounterSelector": ["Counter1", "Counter2"],
            "CounterEventSource": ["FrameStart", "Line1"],
        },
    )
    enable_chunks(features, ("timestamp", "counter"))
    assert features.set == [
        ("ChunkModeActive", True), ("ChunkSelector", "Timestamp"), ("ChunkEnable", True),
        ("ChunkSelector", "CounterValue"), ("ChunkEnable", True),
        ("BslChunkTimestampSelector", "ExposureStart"), ("CounterSelector", "Counter1"),
        ("CounterEventSource", "FrameStart"),
    ]  # fmt: skip
    with pytest.raises(CameraError, match="chunks counter: this camera sends none; allowed: timestamp"):
        enable_chunks(Features({"ChunkModeActive": 0}, {"ChunkSelector": ["Timestamp"]}), ("counter",))


def test_how_far_block_ids_count() -> None:
    assert counter_kind(Features({}), "BaslerUsb") == "uint64"
    assert counter_kind(Features({}), "BaslerGigE") == "gvsp16"
    extended = Features({"GevGVSPExtendedIDMode": "On"})
    assert counter_kind(extended, "BaslerGigE") == "gvsp64"


def test_a_gige_counter_that_wraps_runs_on() -> None:
    timing = FrameTiming(())
    with timing.following(Features({}), "BaslerGigE", DELIVERED):
        at_ns = now_ns()
        made = [
            timing.stamps(result(raw, 0), at_ns + i * 10_000_000)
            for i, raw in enumerate((65534, 65535, 1, 2))
        ]
    first = made[0].camera_counter
    assert [each.camera_counter - first for each in made] == [0, 1, 2, 3]
