"""Tests of fastpose.hosts.pylon on pylon's camera emulator: frames, triggers, what can befall them."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from basler import Grabbing, emulated, grabbing, make_ring, noting_stamps, wait_until
from fastpose.errors import CameraDisconnected, CameraError
from fastpose.hosts.common import FRAME_CLOCK_UNFITTED, FRAME_COUNTER_RESET, slot_array
from fastpose.hosts.pylon import BaslerGrabber
from fastpose.hosts.pylon_options import PylonOptions


def pictures(folder: Path, greys: list[int], size: tuple[int, int] = (640, 480)) -> dict[str, str]:
    """Features that make the emulated camera see these grey pictures, one after the other, for ever."""
    folder.mkdir(exist_ok=True)
    for index, grey in enumerate(greys):
        Image.new("L", size, grey).save(folder / f"{index:03}.png")
    return {"ImageFilename": str(folder), "ImageFileMode": "On", "TestImageSelector": "Off"}


def greys_of(running: Grabbing, frames: int) -> list[int]:
    """The grey of each of the next frames, all of whose pixels must be alike."""
    found = []
    for _ in range(frames):
        slot = running.take()
        pixels = slot_array(running.ring, slot)
        assert pixels.min() == pixels.max()
        found.append(int(pixels[0, 0]))
        running.ring.release(slot)
    return found


def test_frames_arrive_in_order_with_the_cameras_pixels(tmp_path: Path) -> None:
    greys = [40, 80, 120, 160, 200]
    with grabbing(emulated(features=pictures(tmp_path, greys))) as running:
        found = greys_of(running, 60)
    first = greys.index(found[0])
    assert found == [greys[(first + i) % 5] for i in range(60)]
    assert running.error is None and "frames" in running.summary and "failed" not in running.summary


def test_pylon_writes_into_the_slots_themselves() -> None:
    """No copy: the buffer of each grab result is the slot that is published, address by address."""
    seen: list[tuple[int, int, int]] = []
    ring = make_ring(frames="every")
    with grabbing(ring=ring) as running:
        hand_out = running.grabber._slots.hand_out

        def note(slot: int, result: object) -> None:
            view = result.GetImageMemoryView()
            address = ctypes.addressof(ctypes.c_char.from_buffer(view))
            seen.append((slot, address, len(view)))
            hand_out(slot, result)

        running.grabber._slots.hand_out = note
        running.skip(50)
    assert len({slot for slot, _, _ in seen}) == ring.slots  # all of them are pylon's
    assert [address for _, address, _ in seen] == [ring.address(slot) for slot, _, _ in seen]
    assert {length for _, _, length in seen} == {640 * 480}
    assert all(ring.address(slot) % 4096 == 0 for slot in range(ring.slots))


def test_counters_and_stamps() -> None:
    """The emulator has no clock: the start of the exposure is a guess from the arrival, and says so."""
    with grabbing(emulated(exposure_us=2000.0)) as running:
        made = noting_stamps(running)
        running.skip(30)
    assert np.diff([each.camera_counter for each in made]).tolist() == [1] * (len(made) - 1)
    assert all(each.received_ns - each.exposure_start_ns == 2_000_000 for each in made)
    assert all(each.flags == FRAME_CLOCK_UNFITTED and each.exposure_error_ns == 0 for each in made)
    counts = running.ring.counts()
    assert counts["published"] >= 30 and counts["missing"] == counts["failed"] == 0


def test_a_held_slot_is_not_written_again() -> None:
    """A frame stays as it is until its last consumer has released it, however many come meanwhile."""
    ring = make_ring(slots=16, frames="newest")
    with grabbing(ring=ring) as running:
        held = running.take()
        kept = slot_array(ring, held).copy()
        published = ring.counts()["published"]
        wait_until(lambda: ring.counts()["published"] > published + 64)  # four times round
        assert np.array_equal(slot_array(ring, held), kept)
        ring.release(held)
    assert running.error is None


def test_a_consumer_that_holds_all_slots_stops_the_camera_but_harms_nothing() -> None:
    ring = make_ring(slots=14, frames="newest")
    with grabbing(ring=ring) as running:
        held = [running.take() for _ in range(13)]
        wait_until(lambda: running.grabber._slots.all_out)
        for slot in held:
            ring.release(slot)
        running.skip(30)
    assert running.error is None and ring.counts()["missing"] == 0


def test_software_triggers_come_at_their_rate() -> None:
    settings = emulated(trigger_source="software", rate_hz=50.0)
    with grabbing(settings) as running:
        running.skip(5)
        begin = time.monotonic()
        running.skip(20)
        took_s = time.monotonic() - begin
    assert took_s > 19 / 50 * 0.8  # no faster than asked for
    assert running.error is None


def test_a_line_trigger_gives_a_frame_for_each_edge() -> None:
    """No edge, no frame; the emulator takes a software trigger for an edge on the line."""
    settings = emulated(trigger_source="external_edge", trigger_line="Line1")
    ring = make_ring(frames="every")
    with grabbing(settings, ring) as running:
        assert ring.take(300) < 0
        for edges in range(1, 6):
            wait_until(running.grabber.camera.ready_for_trigger)
            running.feature("TriggerSoftware")
            running.skip(1)
            assert ring.counts()["published"] == edges
        assert ring.take(200) < 0
    assert running.error is None


def test_failed_buffers_are_rows_and_their_slots_are_used_again() -> None:
    with grabbing() as running:
        running.skip(10)
        for _ in range(3):
            running.feature("ForceFailedBufferCount", 7)
            running.feature("ForceFailedBuffer")
            before = running.ring.counts()["failed"]
            while running.ring.counts()["failed"] < before + 7:
                running.skip(1)
        running.skip(20)
        running.ring.request_stop()
        failed = [counter for fate, _, counter in running.ledger() if fate == "failed"]
    counts = running.ring.counts()
    assert counts["failed"] == 21 == len(failed) and counts["missing"] == 0
    assert len(set(failed)) == 21 and failed == sorted(failed)
    assert "21 failed (The buffer was incompletely grabbed.)" in running.summary


def test_frames_of_another_size_are_rows_not_pixels(tmp_path: Path) -> None:
    """The region of interest changes under a session: no frame of that size reaches a consumer."""
    features = pictures(tmp_path, [40, 40, 40])
    Image.new("L", (320, 240), 99).save(tmp_path / "003.png")
    with grabbing(emulated(features=features)) as running:
        assert set(greys_of(running, 30)) == {40}
    counts = running.ring.counts()
    assert counts["failed"] >= 9 and counts["missing"] == 0
    assert "of another size (320 x 240)" in running.summary


def test_an_unplugged_camera_ends_the_session() -> None:
    with grabbing(ring=make_ring(frames="newest")) as running:
        running.skip(10)
        running.feature("FirePnPCallback")
        wait_until(lambda: running.ended)
    assert isinstance(running.error, CameraDisconnected)
    assert str(running.error) == "camera 'top' disconnected: check its cable and power"
    assert running.ring.counts()["times_lost"] == 1


def test_a_camera_that_goes_before_it_starts_is_gone_too() -> None:
    with grabbing(emulated(features={"FirePnPCallback": "execute"})) as running:
        wait_until(lambda: running.ended)
    assert isinstance(running.error, CameraDisconnected)


@pytest.mark.parametrize("spin_us", [0, 300])
def test_an_unplugged_camera_comes_back(spin_us: int) -> None:
    """Its counter begins again; ours runs on, and says where. Every slot is back, the rehearsal's too."""
    ring = make_ring(frames="newest")
    with grabbing(ring=ring, reconnect=True, spin_us=spin_us) as running:
        made = noting_stamps(running)
        running.skip(10)
        held = running.take()  # a consumer that is slow just now
        running.feature("FirePnPCallback")
        wait_until(lambda: ring.producer_state == "lost")
        ring.release(held)
        wait_until(lambda: ring.producer_state == "ready")
        running.skip(10)
    assert running.error is None and "1 times reconnected" in running.summary
    assert ring.counts()["times_lost"] == 1 and ring.counts()["missing"] == 0
    assert sum(bool(each.flags & FRAME_COUNTER_RESET) for each in made) == 1
    assert np.diff([each.camera_counter for each in made]).tolist() == [1] * (len(made) - 1)


def test_a_stop_ends_the_wait_for_a_camera() -> None:
    with grabbing(ring=make_ring(frames="newest"), reconnect=True) as running:
        running.skip(5)
        running.grabber._open = _refuse
        running.feature("FirePnPCallback")
        wait_until(lambda: running.ring.producer_state == "lost")
        time.sleep(0.1)
    assert running.error is None and running.ended


def _refuse() -> None:
    raise CameraError("still gone")


def test_colour_and_chunky_formats() -> None:
    ring = make_ring(pixel_format="bayer_rg8", frames="every")
    with grabbing(emulated(pixel_format="bayer_rg8"), ring) as running:
        running.skip(5)
    ring = make_ring(pixel_format="rgb8", frames="every")
    with grabbing(emulated(pixel_format="rgb8"), ring) as running:
        slot = running.take()
        assert slot_array(ring, slot).shape == (480, 640, 3)
        ring.release(slot)
    assert running.error is None


def test_two_cameras_in_one_process_do_not_meet() -> None:
    with grabbing() as one, grabbing(emulated(serial="0815-0001")) as two:
        one.skip(20)
        two.skip(20)
    assert one.error is None and two.error is None


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        ({"width": 320}, "delivers 640 x 480 mono8, the session began with 320 x 480 mono8"),
        ({"pixel_format": "bayer_rg8"}, "the session began with 640 x 480 bayer_rg8"),
    ],
)
def test_a_camera_that_does_not_fit_the_ring_is_refused(ring: dict[str, object], says: str) -> None:
    made = make_ring(**ring)
    with pytest.raises(CameraError, match=says):
        BaslerGrabber(made, PylonOptions(made.name, "top", emulated()))
    with grabbing() as running:  # it was closed again
        running.skip(1)
