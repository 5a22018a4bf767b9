"""`fastpose bench loopback --led`: lights find their actions, and the simulated chain tells its truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fastpose.cli import app
from fastpose.config import config_from
from fastpose.errors import ConfigError
from fastpose.loopback.led import LedAction, LedLoopback, SeenFrames, measure_led
from fastpose.loopback.led_rig import led_on_rig
from fastpose.loopback.spot import Spot
from rigs import BASE, rig_config, write_rig

MS = 1_000_000
PERIOD_NS, EXPOSURE_US = 5 * MS, 4800.0
SPOT = Spot((0, 0, 4, 4), off=10, on=110, noise=0.1)
CLOCK_NS = 77_000 * MS  # what the camera's clock shows more than the host's


def chain(
    count: int, *, delay_us: float = 0, length_ms: float = 20, every: int = 16
) -> tuple[list[LedAction], SeenFrames]:
    """Every 16th frame raises the output 5 to 8.5 ms after its exposure began, then the light comes."""
    host_ns = 1_000 * MS + np.arange(count * every + every) * PERIOD_NS
    delays = np.random.default_rng(1).integers(5 * MS, 17 * MS // 2, count)
    fraction, actions = np.zeros(len(host_ns)), []
    for at in range(count):
        acted_ns = int(host_ns[at * every] + delays[at])
        actions.append(LedAction(int(host_ns[at * every]), acted_ns, at * every))
        on_ns = acted_ns + round(delay_us * 1e3)
        off_ns, end_ns = on_ns + round(length_ms * MS), host_ns + EXPOSURE_US * 1e3
        fraction += np.maximum(np.minimum(end_ns, off_ns) - np.maximum(host_ns, on_ns), 0) / EXPOSURE_US / 1e3
    return actions, SeenFrames(np.arange(len(host_ns)), host_ns + CLOCK_NS, fraction)


def measured(
    actions: list[LedAction], frames: SeenFrames, exposure_us: float | None = EXPOSURE_US
) -> LedLoopback:
    return measure_led(actions, frames, exposure_us=exposure_us, spot=SPOT)


def test_the_camera_measures_what_is_there() -> None:
    found = measured(*chain(50))
    assert (len(found.light_ns), found.without_light, found.too_short) == (50, 0, 0)
    assert (np.abs(found.difference_ns) <= found.bound_ns + 1).all()
    assert found.bound_ns.max() <= 0.1 * MS + 0.02 * EXPOSURE_US * 1e3 + 1
    assert found.agrees(0.01)


@pytest.mark.parametrize("delay_us", [700, 12_000, 40_000])
def test_a_slow_light_is_found(delay_us: float) -> None:
    found = measured(*chain(50, delay_us=delay_us))
    assert len(found.light_ns) == 50
    assert np.median(found.difference_ns) == pytest.approx(delay_us * 1e3, abs=0.1 * MS)
    assert not found.agrees(500)


@pytest.mark.parametrize("lie_ms", [-3, 2])
def test_a_lying_exposure_stamp_is_seen(lie_ms: int) -> None:
    actions, frames = chain(50)
    lying = [replace(each, exposure_start_ns=each.exposure_start_ns + lie_ms * MS) for each in actions]
    found = measured(lying, frames)
    assert len(found.light_ns) == 50
    assert np.median(found.difference_ns) == pytest.approx(lie_ms * MS, abs=0.1 * MS)
    assert not found.agrees(500)


def test_lights_that_are_missing_pair_with_nothing_else() -> None:
    actions, frames = chain(30)
    frames.fraction[7 * 16 : 8 * 16] = 0  # its LED came loose for a while
    found = measured(actions, frames)
    assert (found.without_light, len(found.light_ns)) == (1, 29)
    assert found.agrees(0.01)


def test_a_light_that_nobody_caused_pairs_with_nothing() -> None:
    actions, frames = chain(30)
    found = measured([*actions[:10], *actions[11:]], frames)
    assert (found.without_light, len(found.light_ns)) == (0, 29)
    assert found.agrees(0.01)


def test_frames_that_nobody_looked_at_widen_the_bound() -> None:
    actions, frames = chain(30)
    frames.fraction[::3] = np.nan
    found = measured(actions, frames)
    assert (np.abs(found.difference_ns) <= found.bound_ns + 1).all()
    assert found.bound_ns.max() > 2 * MS


def test_without_the_exposure_time_the_period_bounds_it() -> None:
    found = measured(*chain(50), exposure_us=None)
    assert (np.abs(found.difference_ns) <= found.bound_ns + 1).all()
    assert found.bound_ns.max() <= 0.52 * PERIOD_NS
    assert found.agrees(0.01)
    assert found.as_json(500)["exposure_us"] is None


def test_flashes_that_are_too_short_are_refused_or_counted() -> None:
    with pytest.raises(ConfigError, match=r"flashes were over within the exposure .* 10 ms, two frames"):
        measured(*chain(30, length_ms=1))
    actions, frames = chain(30)
    frames.fraction[16 + 2 : 32] = 0
    frames.fraction[16 + 1] = 0.4
    assert measured(actions, frames).too_short == 1


def test_no_light_at_all_is_refused() -> None:
    actions, frames = chain(10)
    frames.fraction[:] = 0
    with pytest.raises(ConfigError, match="of 10 actions none has a light: the LED went on 0 times"):
        measured(actions, frames)


# --- the simulated chain, from the pixels to the report ---


def rig(**changes: Any) -> dict[str, Any]:
    camera = {
        **BASE["cameras"]["top"],
        "exposure_us": EXPOSURE_US,
        "transfer_ms": 0.1,
        "frames_total": None,
        "frames": "newest",
        "body_length_px": 60,  # never comes near the corner
        "led": {"output": "laser", "x": 6, "y": 6, "radius_px": 3},
        **changes,
    }
    protocol = {**BASE["protocol"], "do": {"laser": {"pulse_ms": 15}}}
    return {"cameras.top": camera, "protocol": protocol}


def by_led(folder: Path, **changes: Any) -> LedLoopback:
    config = rig_config(folder, rig(**changes))
    found, session = led_on_rig(config, "laser", roi=None, seconds=2)
    assert (session / "events.csv").exists()
    return found


def test_the_simulated_chain_agrees_with_its_truth(tmp_path: Path) -> None:
    found = by_led(tmp_path)
    x, y, width, height = found.spot.roi
    assert x <= 6 <= x + width and y <= 6 <= y + height and max(width, height) <= 9
    assert found.exposure_us == EXPOSURE_US
    assert found.noise_us is not None and 0 < found.noise_us < 0.02 * EXPOSURE_US
    assert len(found.light_ns) >= 5
    off_us = np.median(np.maximum(np.abs(found.difference_ns) - found.bound_ns, 0)) / 1e3
    assert off_us < 200


def test_the_simulated_lights_delay_is_found(tmp_path: Path) -> None:
    led = {"output": "laser", "x": 6, "y": 6, "radius_px": 3, "delay_us": 3000}
    found = by_led(tmp_path, led=led)
    assert np.median(found.difference_ns) / 1e3 == pytest.approx(3000, abs=400)
    assert not found.agrees(500)


def test_a_camera_that_stamps_late_is_found(tmp_path: Path) -> None:
    """Where the way to the host is shorter than that, the stamps are seen through."""
    found = by_led(tmp_path, clock={"stamp_late_us": 2000}, transfer_ms=3)
    assert np.median(found.difference_ns) / 1e3 == pytest.approx(2000, abs=400)
    assert not found.agrees(500)


def test_an_led_that_is_not_there_ends_the_command_with_one_line(tmp_path: Path) -> None:
    led = {"output": "other", "x": 6, "y": 6}
    changes = {**rig(led=led), "outputs.other": {"driver": "sim"}}
    file = write_rig(tmp_path, changes)
    ran = CliRunner().invoke(app, ["bench", "loopback", str(file), "--led", "laser", "--seconds", "1"])
    assert ran.exit_code == 2
    assert "no LED found: nothing in the frame gets brighter" in ran.output


def test_the_command_says_whether_camera_and_software_agree(tmp_path: Path) -> None:
    led = {"output": "laser", "x": 6, "y": 6, "radius_px": 3, "delay_us": 4000}
    file = write_rig(tmp_path, rig(led=led))
    command = ["bench", "loopback", str(file), "--led", "laser", "--led-roi", "4,4,5,5", "--seconds", "2"]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 2, ran.output
    for words in ("exposure to light, by the camera", "--led-roi 4,4,5,5", "camera and software DISAGREE"):
        assert words in ran.output
    told = json.loads(CliRunner().invoke(app, [*command, "--json"]).output)
    assert told["agrees"] is False
    assert told["led"]["roi"] == [4, 4, 5, 5]
    assert told["difference_ms"]["p50"] == pytest.approx(4, abs=0.4)


def test_what_the_command_does_not_take(tmp_path: Path) -> None:
    file = str(write_rig(tmp_path))
    for words, says in {
        ("--simulate", "--led", "laser"): "--simulate is a chain of its own",
        (
            file,
            "--led",
            "laser",
            "--port",
            "/dev/null",
        ): "or with CONFIG and --led OUTPUT",
        (file, "--led", "valve"): "--led is 'valve'; allowed: laser",
        (file, "--led", "laser", "--led-roi", "1,2,3"): "--led-roi is '1,2,3'; allowed: x,y,w,h in px",
        (file, "--led", "laser", "--output", "valve"): "--output is 'valve' beside --led laser",
        (file, "--port", "/dev/null", "--led-roi", "1,2,3,4"): "--led-roi is given without --led",
    }.items():
        ran = CliRunner().invoke(app, ["bench", "loopback", *words])
        assert ran.exit_code == 2, words
        assert says in ran.output, ran.output


def test_an_led_on_no_output_is_refused_by_the_config(tmp_path: Path) -> None:
    def problems(**led: Any) -> str:
        camera = {"driver": "sim", "size": [160, 120], "led": {"output": "laser", "x": 5, "y": 5, **led}}
        outputs = {
            "laser": {"driver": "sim"},
            "valve": {"driver": "serial", "port": "/dev/x", "max_on_ms": 5},
        }
        with pytest.raises(ConfigError) as caught:
            config_from({"session": {"subject": "m"}, "cameras": {"top": camera}, "outputs": outputs})
        return str(caught.value)

    assert "cameras.top.led.output" in problems(output="lasr") and "laser" in problems(output="lasr")
    assert "has driver serial; allowed: a simulated one" in problems(output="valve")
    assert "(160, 5) lies outside the frame of [160, 120] px" in problems(x=160)


def test_an_interlock_that_ends_the_light_too_soon_is_told(tmp_path: Path) -> None:
    brief = {"outputs.laser": {"driver": "sim", "max_on_ms": 6}, "protocol": BASE["protocol"]}
    config = rig_config(tmp_path, {**rig(), **brief})
    with pytest.raises(ConfigError, match=r"outputs\.laser\.max_on_ms is 6: no frame was exposed while"):
        led_on_rig(config, "laser", roi=None, seconds=1)
