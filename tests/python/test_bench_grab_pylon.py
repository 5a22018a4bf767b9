"""Tests of benches.grab.pylon: it measures every frame, in order, on an emulated camera."""

from __future__ import annotations

from benches.grab.pylon import measure

import basler  # noqa: F401  skips where pypylon is not


def test_numbers_of_every_frame() -> None:
    found = measure(frames=40, size=(320, 240))
    assert {numbers["n"] for numbers in found.values()} == {40}
    assert 0 < found["retrieved"]["p50_us"] < found["published"]["p50_us"]
    assert found["retrieved"]["p50_us"] < found["queued"]["p50_us"]
