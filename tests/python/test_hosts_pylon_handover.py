"""Tests of fastpose.hosts.pylon_handover on pylon's camera emulator: what a rehearsal does and does not."""

from __future__ import annotations

import numpy as np

from basler import Grabbing, emulated, grabbing, make_ring, noting_stamps
from fastpose.hosts.pylon import BaslerGrabber
from fastpose.hosts.pylon_options import PylonOptions


def test_a_rehearsal_leaves_no_trace() -> None:
    ring = make_ring(frames="every", slots=16)
    with grabbing(ring=ring, spin_us=300) as running:
        walked, stamped = noting_walks(running), noting_stamps(running)
        taken = 0
        while taken < 60 or not walked:
            running.skip(1)
            taken += 1
        ledger = running.ledger()
    counters = [each.camera_counter for each in stamped]
    assert np.diff(counters).tolist() == [1] * (len(counters) - 1)
    assert not ledger and "failed" not in running.summary
    assert 0 <= running.grabber.tally.whole - taken <= ring.slots


def noting_walks(running: Grabbing) -> list[int]:
    """When each rehearsal began from now on, ns."""
    walked: list[int] = []
    rehearsal = running.grabber._rehearsal
    assert rehearsal is not None
    walk = rehearsal.walk

    def note(now_ns: int) -> None:
        walk(now_ns)
        walked.append(now_ns)

    rehearsal.walk = note  # type: ignore[method-assign]
    return walked


def test_the_kept_buffer_is_pylons_again_after_grabbing() -> None:
    with grabbing(spin_us=300) as running:
        running.skip(20)
        rehearsal = running.grabber._rehearsal
        assert rehearsal is not None and rehearsal.kept
    assert not rehearsal.kept


def test_without_spinning_there_is_no_rehearsal() -> None:
    ring = make_ring(frames="every")
    grabber = BaslerGrabber(ring, PylonOptions(ring.name, "top", emulated()))
    assert grabber._rehearsal is None
    grabber._close()
