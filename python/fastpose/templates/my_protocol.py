"""A protocol in Python: it runs beside the loop, gets every pose, and may be as slow as it likes.

In the config:  protocol: {type: python, path: my_protocol.py:MyProtocol}
To try it without a rig:

    from fastpose.testing import try_protocol
    tried = try_protocol("config.yaml", seconds=30)
    tried.assert_pulses("reward", at_least=1)
"""

from __future__ import annotations

from fastpose import Outputs, Pose, Protocol

RULE, OUTPUT = "in_corner", "reward"  # names in the config
PULSE_MS = 50.0
REST_S = 2.0  # no second reward before


class MyProtocol(Protocol):
    """Gives a reward each time the rule becomes true, with a rest after each."""

    def on_start(self, outputs: Outputs) -> None:
        """Run once, before the first pose."""
        self.was_true = False
        self.rewards = 0
        self.last_ns = 0

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        """Run for every pose, in order; ``pose.age_ns`` tells how old it was when the loop had decided."""
        is_true = pose.rules[RULE]
        rested = pose.exposure_start_ns - self.last_ns >= REST_S * 1e9
        if is_true and not self.was_true and rested:
            self.reward(pose, outputs)
        self.was_true = is_true

    def reward(self, pose: Pose, outputs: Outputs) -> None:
        """Open the valve, and write a row of our own into events.csv."""
        if not outputs.pulse(OUTPUT, PULSE_MS):
            return  # the interlock refused: a limit of the output
        self.rewards += 1
        self.last_ns = pose.exposure_start_ns
        self.session.note("reward", number=self.rewards, age_ms=pose.age_ns / 1e6)
        # self.session.frame() gives the last processed frame, pixels included

    def on_stop(self) -> None:
        """Run once, after the last pose; outputs are safe already."""
