"""Tests of benches.grab.pylon: it measures every frame, in order, on an emulated camera."""

from __future__ import annotations

from benches.grab.pylon import measure

import basler  # noqa: F401  skips where pypylon is not


def test_numbers_of_every_frame() -> None:
    found = measure(frames=40, size=(320, 240))
    assert {numbers["n"] for numbers in found.values()} == {40}
    assert 0 < found["retrieve_us"]["p50"] < found["retrieve_to_publish_us"]["p50"]
    assert found["retrieve_us"]["p50"] < found["retrieve_to_dequeued_us"]["p50"]
