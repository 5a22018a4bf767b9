"""Tries a protocol without a rig: on the simulated animal or on a recorded session, with assertions.

    from fastpose.testing import try_protocol

    def test_my_protocol():
        tried = try_protocol("config.yaml", seconds=60)
        tried.assert_pulses("laser", at_least=1, length_ms=10)
        tried.assert_reacts("in_corner", "laser", within_ms=20)

Nothing is opened: no camera, no network, no output. Time is logical, so a minute takes a second or so.
"""

from fastpose.testing.late import LateMachine, late_session
from fastpose.testing.poses import Poses, recorded_poses, simulated_poses
from fastpose.testing.session import write_session
from fastpose.testing.tried import Edge, Tried
from fastpose.testing.trying import try_protocol

__all__ = [
    "Edge",
    "LateMachine",
    "Poses",
    "Tried",
    "late_session",
    "recorded_poses",
    "simulated_poses",
    "try_protocol",
    "write_session",
]
