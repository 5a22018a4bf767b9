"""`fastpose compile`: a protocol in Cython becomes a module beside it, or an error that names the way out."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fastpose import _core, compiling
from fastpose.cli import app
from fastpose.compiling import compile_protocol
from fastpose.errors import ConfigError, DeviceError
from fastpose.policy import policy_beside
from fastpose.templates import TEMPLATES, template
from rigs import rig_config, run_here, write_rig

NEEDS = pytest.mark.skipif(
    importlib.util.find_spec("Cython") is None or shutil.which("c++") is None,
    reason="Cython (extra 'cython') or a C++ compiler is not here",
)
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, compiled once; its source."""
    source = tmp_path_factory.mktemp("compiled") / "my_protocol.pyx"
    shutil.copy(template("cython"), source)
    compile_protocol(source)
    return source


@NEEDS
def test_the_template_compiles_beside_its_source(compiled: Path) -> None:
    capsule = policy_beside(compiled).policy(["in_corner"], ["reward"], ["snout"])
    assert isinstance(_core.PolicyProtocol(capsule), _core.Protocol)


@NEEDS
def test_a_session_runs_it_and_replays_bit_identical(compiled: Path, tmp_path: Path) -> None:
    from fastpose.replay import replay_session

    changes = {
        "protocol": {"type": "cython", "path": str(compiled)},
        "rules": {"in_corner": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"]}},
        "outputs": {"reward": {"driver": "sim", "max_on_ms": 100}},
    }
    session = run_here(tmp_path, changes)
    assert session.output_levels("reward") == [1, 0]  # a rest of 2 s is longer than the session
    replay = replay_session(session.folder)
    assert replay.identical, replay.differences


EVERY_ACTION = """
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc
from fastpose.policy cimport (
    fp_commands, fp_level, fp_off, fp_on, fp_policy, fp_pose, fp_pulse, fp_ramp, fp_train, policy_capsule
)

cdef void step(void* memory, const fp_pose* pose, fp_commands* commands) noexcept nogil:
    cdef int* was = <int*>memory
    cdef bint is_true = pose.rules[0]
    if is_true and not was[0]:
        was[1] += 1
        fp_train(commands, 0, 3000000, 100, 3)
        fp_level(commands, 1, 0.5 * was[1])     # 2.5 and above: more than its max_level
        fp_ramp(commands, 2, 0.5, 4, 30000000)
        fp_pulse(commands, 3, 5000000)
        fp_train(commands, 4, 20000000, 100, 2)  # no gap between its pulses
    elif was[0] and not is_true:
        fp_level(commands, 1, 0)
        fp_off(commands, 2)
    was[0] = is_true

cdef void reset(void* memory) noexcept nogil:
    (<int*>memory)[0] = (<int*>memory)[1] = 0

def policy(rules, outputs, bodyparts):
    return policy_capsule(step, reset, calloc(2, sizeof(int)))
"""


@NEEDS
def test_it_asks_for_every_action_and_replays_bit_identical(tmp_path: Path) -> None:
    from fastpose.replay import replay_session

    source = tmp_path / "every_action.pyx"
    source.write_text(EVERY_ACTION, encoding="utf-8")
    compile_protocol(source)
    names = ("train", "level", "ramp", "pulse", "wrong")
    outputs = {name: {"driver": "sim", "max_on_ms": 100} for name in names}
    outputs["level"]["max_level"] = 2.0
    changes = {"protocol": {"type": "cython", "path": str(source)}, "outputs": outputs}
    session = run_here(tmp_path, changes)
    events = session.events
    levels = events[events["event"] == "level"]
    assert session.output_levels("train")[:6] == [1, 0, 1, 0, 1, 0]
    assert session.output_levels("pulse")[:2] == [1, 0]
    assert session.output_levels("wrong") == []
    assert {"level", "ramp"} == set(levels["name"])
    assert levels.loc[levels["name"] == "ramp", "value"].max() == 4000  # thousandths
    refused = set(events.loc[events["event"] == "refused", "name"])
    assert {"wrong", "level"} <= refused  # the fifth level is 2.5
    replay = replay_session(session.folder)
    assert replay.identical, replay.differences


TRAIN = "fp_train(commands, state.output, state.pulse_ns, state.rate_hz, state.pulses)"


@NEEDS
def test_a_train_is_the_one_that_a_config_asks_for(compiled: Path) -> None:
    from fastpose.config import config_from
    from fastpose.testing import try_protocol

    assert TRAIN in compiled.read_text(encoding="utf-8")
    source = compiled.with_name("rewards.pyx")
    text = (
        compiled.read_text(encoding="utf-8").replace("pulses=1", "pulses=3").replace("rest_s=2.0", "rest_s=0")
    )
    source.write_text(text, encoding="utf-8")
    compile_protocol(source)
    base = {
        "session": {"subject": "m"},
        "cameras": {"top": {"driver": "sim", "seed": 9}},
        "model": {"path": "builtin:simulated_mouse"},
        "zones": {"corner": {"rectangle": {"x": 0, "y": 0, "width": 320, "height": 240}}},
        "rules": {"in_corner": {"type": "in_zone", "zone": "corner", "bodyparts": ["snout"]}},
        "outputs": {"reward": {"driver": "sim", "max_on_ms": 200}},
    }
    train = {"train": {"pulse_ms": 50, "rate_hz": 10, "count": 3}}
    in_yaml = {"type": "conditional", "when": "in_corner", "do": {"reward": train}}
    both = [in_yaml, {"type": "cython", "path": str(source)}]
    tried = [try_protocol(config_from({**base, "protocol": each}), seconds=40) for each in both]
    tried[1].assert_pulses("reward", at_least=3, length_ms=50)
    assert tried[1].output("reward") == tried[0].output("reward")


@NEEDS
def test_the_example_compiles(tmp_path: Path) -> None:
    source = tmp_path / "turn_protocol.pyx"
    shutil.copy(EXAMPLES / "turn_protocol.pyx", source)
    ran = CliRunner().invoke(app, ["compile", str(source)])
    assert ran.exit_code == 0, ran.output
    assert "protocol: {type: cython, path: turn_protocol.pyx}" in ran.output


@NEEDS
def test_a_refused_config_is_said_in_one_line(compiled: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"refuses this config: it needs rule 'in_corner'"):
        run_here(tmp_path, {"protocol": {"type": "cython", "path": str(compiled)}})


@NEEDS
def test_a_changed_source_is_not_run_silently(compiled: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(compiled.parent, tmp_path / "copy")) / compiled.name
    newer = source.stat().st_mtime + 100
    os.utime(source, (newer, newer))
    with pytest.raises(ConfigError, match="changed after it was compiled; compile it with: fastpose compile"):
        policy_beside(source)


@NEEDS
def test_what_cython_complains_of_is_told(tmp_path: Path) -> None:
    source = tmp_path / "broken.pyx"
    source.write_text("cdef int f(: return 1\n")
    with pytest.raises(ConfigError, match=r"does not compile; Cython says:") as caught:
        compile_protocol(source)
    assert any("broken.pyx:1" in line for line in caught.value.lines)


@NEEDS
def test_a_module_without_a_policy_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "empty.pyx"
    source.write_text("x = 1\n")
    with pytest.raises(ConfigError, match="it has no function policy"):
        compile_protocol(source)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.pyx"]


def test_a_source_that_was_never_compiled(tmp_path: Path) -> None:
    source = tmp_path / "mine.pyx"
    source.write_text("")
    with pytest.raises(ConfigError, match=r"not compiled for this Python; compile it with: fastpose compile"):
        policy_beside(source)
    config = rig_config(tmp_path, {"protocol": {"type": "cython", "path": str(source)}})
    from fastpose.check import check

    (found,) = [each for each in check(config) if each.path == "protocol.path"]
    assert found.level == "problem" and "fastpose compile" in found.text


def test_without_cython_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(template("cython"), tmp_path / "mine.pyx")
    monkeypatch.setattr(compiling, "find_spec", lambda _name: None)
    with pytest.raises(DeviceError, match=r"pip install 'fastpose-rig\[cython\]'"):
        compile_protocol(tmp_path / "mine.pyx")


def test_without_a_compiler_the_error_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(template("cython"), tmp_path / "mine.pyx")
    monkeypatch.setattr(compiling, "find_spec", lambda _name: object())
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(compiling.shutil, "which", lambda _name: None)
    with pytest.raises(DeviceError, match=r"apt-get install g\+\+"):
        compile_protocol(tmp_path / "mine.pyx")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(DeviceError, match="CXX is 'no-such-compiler'"):
        compile_protocol(tmp_path / "mine.pyx")


@pytest.mark.parametrize("name", ["mine.py", "my-protocol.pyx", "absent.pyx"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"no protocol in Cython|no such file"):
        compile_protocol(tmp_path / name)


def test_path_or_module_but_not_both(tmp_path: Path) -> None:
    for protocol in ({"type": "cython"}, {"type": "cython", "path": "a.pyx", "module": "a"}):
        with pytest.raises(ConfigError, match="allowed: one of path"):
            rig_config(tmp_path, {"protocol": protocol})
    with pytest.raises(ConfigError, match=r"'a.py' is no protocol in Cython; allowed: FILE.pyx"):
        rig_config(tmp_path, {"protocol": {"type": "cython", "path": "a.py"}})
    file = write_rig(tmp_path, {"protocol": {"type": "cython", "path": "a.pyx"}})
    assert str(rig_config(tmp_path, {"protocol": {"type": "cython", "path": "a.pyx"}}).protocol.path) == str(
        file.parent / "a.pyx"
    )


def test_templates_by_name() -> None:
    assert {template(name).name for name in TEMPLATES} == {"my_protocol.pyx", "my_protocol.py"}
    assert all(template(name).exists() for name in TEMPLATES)
    with pytest.raises(ConfigError, match="allowed: cython, python"):
        template("c")
