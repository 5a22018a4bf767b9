"""Random protocols on random animals: limits hold, every ON has its OFF, no state is lost.

A part of the examples in the normal suite; `--all-protocols` for 10,000.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastpose.config import StatesProtocol
from fastpose.config.states import ENDED
from protocol_rig import MS, ProtocolRig, config_of
from random_protocols import RULES, random_outputs, random_states, random_stream

FRAMES = 40
NOBODY = np.full((1, 1, 3), np.nan, np.float32)
Stream = Sequence[tuple[int, list[int], int]]


def played(config: Any, stream: Stream) -> ProtocolRig:
    rig = ProtocolRig(config)
    for time_ns, rules, age_ns in stream:
        rig.rig.frame(time_ns, rules, age_ns=age_ns)
    rig.rig.run_until(stream[-1][0] + 50 * MS)
    rig.rig.end()
    return rig


def asleep(config: Any, stream: Stream) -> list[tuple[str, int, int, int]]:
    """The notes of the same machine where nobody wakes it between frames, as in a replay."""
    machine = ProtocolRig(config).machine
    notes: list[tuple[str, int, int, int]] = []
    for time_ns, rules, age_ns in [*stream, (stream[-1][0] + 50 * MS, None, 0)]:
        while machine.next_wakeup_ns <= time_ns:
            notes += machine.advance(time_ns).notes
        if rules is not None:
            step = machine.step(NOBODY, rules, now_ns=time_ns, exposure_start_ns=time_ns - age_ns)
            notes += step.notes
    return notes


def check_lines(rig: ProtocolRig) -> None:
    """Levels alternate, end low, and stay within the limits of their lines."""
    for index, (name, output) in enumerate(rig.config.outputs.items()):
        levels = rig.levels(name)
        assert [level for _, level in levels] == [(i + 1) % 2 for i in range(len(levels))], name
        assert not rig.rig.high(index)
        assert len(levels) % 2 == 0, f"{name}: an ON without its OFF"
        for begin_ms, length_ms in rig.on_ms(name):
            assert length_ms <= (output.max_on_ms or np.inf) + 1e-6, (name, begin_ms)
        rises = [time for time, level in levels if level]
        if output.max_rate_hz is not None:
            assert all(b - a >= 1000 / output.max_rate_hz - 1e-3 for a, b in pairwise(rises)), name


def check_states(rig: ProtocolRig) -> None:
    """Every state that was entered was led to by a transition of the one before it, or by a limit."""
    protocol = rig.config.protocol
    assert isinstance(protocol, StatesProtocol)
    visited = rig.visited
    assert visited[0] == protocol.first
    assert visited[-1] == rig.state
    for before, after in pairwise(visited):
        targets = {target for each in protocol.states[before].next for target in each.targets}
        assert after in targets or (after == ENDED and protocol.may_end), (before, after)
    assert rig.rig.finished == (visited[-1] == ENDED)
    assert ENDED not in visited[:-1]
    assert rig.machine.counter(0) == counted(protocol, visited)


def counted(protocol: StatesProtocol, visited: list[str]) -> int:
    counter = 0
    for name in visited:
        state = protocol.all_states[name]
        counter = (0 if "c" in state.reset else counter) + state.count.get("c", 0)
    return counter


@pytest.mark.timeout(900)
def test_what_must_always_be_so(request: pytest.FixtureRequest) -> None:
    examples = 10_000 if request.config.getoption("--all-protocols") else 300

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize="FASTPOSE_RANDOM" not in os.environ,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.randoms(use_true_random=False, note_method_calls=False))
    def holds(random: Random) -> None:
        source = Random(random.getrandbits(48))
        outputs = random_outputs(source)
        config = config_of(random_states(source, outputs), rules=RULES, outputs=outputs)
        stream = random_stream(source, FRAMES)
        rig = played(config, stream)
        check_lines(rig)
        check_states(rig)
        assert asleep(config, stream) == rig.rig.notes
        again = played(config, stream)
        assert again.rig.edges == rig.rig.edges

    holds()


def test_the_checks_would_see_a_fault() -> None:
    """A line left high, a limit broken and a state left out are found."""
    rig = played(
        config_of({"type": "states", "states": {"a": {"next": [{"after_ms": 5, "to": "a"}]}}}),
        [(10 * MS, [0, 0], MS)],
    )
    check_lines(rig)

    wrong = SimpleNamespace(
        config=rig.config, machine=rig.machine, state=rig.state, rig=rig.rig, visited=["a", "b"]
    )
    wrong.levels = lambda _name: [(1.0, 1)]
    with pytest.raises(AssertionError, match="an ON without its OFF"):
        check_lines(cast(ProtocolRig, wrong))
    wrong.levels, wrong.on_ms = lambda _name: [(1.0, 1), (70_000.0, 0)], lambda _name: [(1.0, 69_999.0)]
    with pytest.raises(AssertionError, match=r"laser.*1\.0"):
        check_lines(cast(ProtocolRig, wrong))
    with pytest.raises(AssertionError):
        check_states(cast(ProtocolRig, wrong))
