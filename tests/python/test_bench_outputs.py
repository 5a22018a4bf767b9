"""Tests of benches.outputs: every pulse of the session is heard at the other end."""

from __future__ import annotations

import time

import numpy as np
import pytest
from benches.outputs.session import SPANS, measure, numbers

from fastpose import _core


def test_every_pulse_is_heard_and_timed() -> None:
    found = measure(60, "idle")
    assert {found[span]["n"] for span in SPANS} == {found["width_error"]["n"]}
    assert found["width_error"]["n"] > 30
    assert 0 < found["decided_to_acted"]["p50_us"] < found["decided_to_byte"]["p50_us"]


def test_a_pulse_that_was_not_heard_is_no_number() -> None:
    two, one = np.array([0, 10_000_000]), np.array([1])
    with pytest.raises(RuntimeError, match="2 pulses were sent, the device heard 1"):
        numbers(two, two, two + 4_000_000, (one, one))


def test_the_clock_of_the_device_is_the_engines() -> None:
    before = time.monotonic_ns()
    assert before <= _core.now_ns() <= time.monotonic_ns()
