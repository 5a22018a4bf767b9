"""Drawing and the labelled video: marks lie where the numbers say."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from fastpose.errors import RecordError
from fastpose.session.drawing import colours, draw_polyline, draw_pose, draw_text
from fastpose.session.events import event_records
from fastpose.session.frames import camera_frames
from fastpose.session.labelled import write_labelled_video, zone_outlines
from fastpose.session.log import EVENT_DTYPE
from fastpose.session.source import read_session
from fastpose.session.states import state_tracks
from synthetic_session import (
    Camera,
    Session,
    make_frames,
    make_poses,
    make_reactions,
    make_video_log,
    write_video,
)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return np.argwhere((before != after).any(axis=-1))


@pytest.mark.parametrize(("x", "y"), [(40.0, 30.0), (40.5, 30.25), (12.8, 55.1)])
def test_a_disc_is_centred_on_its_keypoint(x: float, y: float) -> None:
    grey = np.zeros((80, 100), np.uint8)
    drawn = draw_pose(grey, np.array([[x, y, 0.9]]), radius_px=4.0)
    assert drawn.shape == (80, 100, 3) and drawn.dtype == np.uint8
    weight = drawn[:, :, 0].astype(float)  # the first colour is mostly red
    weight[weight < 60] = 0
    rows, columns = np.indices(weight.shape)
    assert (columns * weight).sum() / weight.sum() == pytest.approx(x, abs=0.1)
    assert (rows * weight).sum() / weight.sum() == pytest.approx(y, abs=0.1)


def test_the_frame_given_is_not_changed() -> None:
    frame = np.zeros((20, 20, 3), np.uint8)
    draw_pose(frame, np.array([[10, 10, 1.0]]))
    assert not frame.any()


@pytest.mark.parametrize(
    "keypoint", [(np.nan, np.nan, np.nan), (10, 10, 0.59), (10, 10, np.nan), (-50, 10, 1), (10, 500, 1)]
)
def test_missing_unlikely_and_outside_keypoints_draw_nothing(keypoint: tuple[float, float, float]) -> None:
    assert not draw_pose(np.zeros((20, 20), np.uint8), np.array([keypoint]), min_likelihood=0.6).any()


def test_a_keypoint_at_the_border_is_drawn_as_far_as_it_goes() -> None:
    drawn = draw_pose(np.zeros((20, 30), np.uint8), np.array([[0.0, 0.0, 1.0], [29.0, 19.0, 1.0]]))
    assert drawn[0, 0].any() and drawn[19, 29].any()


def test_skeleton_joins_only_visible_keypoints() -> None:
    keypoints = np.array([[10, 10, 1.0], [50, 10, 1.0], [50, 50, 0.1]])
    drawn = draw_pose(np.zeros((60, 60), np.uint8), keypoints, skeleton=[(0, 1), (1, 2)])
    assert drawn[10, 30].any() and not drawn[30, 50].any()


def test_individuals_are_all_drawn() -> None:
    poses = np.array([[[10, 10, 1.0]], [[40, 40, 1.0]]])
    drawn = draw_pose(np.zeros((60, 60), np.uint8), poses)
    assert drawn[10, 10].any() and drawn[40, 40].any()


@pytest.mark.parametrize("count", [1, 8, 9, 30])
def test_colours_differ(count: int) -> None:
    assert len(set(colours(count))) == count


def test_text_stays_in_its_place_even_across_the_border() -> None:
    canvas = np.full((40, 120, 3), 128, np.uint8)
    below = draw_text(canvas, 5, 5, "laser: HIGH", (255, 255, 255))
    assert 5 < below < 40 and (canvas == 255).any()
    draw_text(canvas, 110, 35, "beyond", (255, 255, 255))
    draw_text(canvas, -20, -5, "beyond", (255, 255, 255))


def test_zone_outlines_close() -> None:
    zones = zone_outlines(
        {
            "zones": {
                "a": {"polygon": [[0, 0], [9, 0], [9, 9]], "circle": None, "rectangle": None},
                "b": {"circle": {"center": [5, 6], "radius_px": 3}},
                "c": {"rectangle": {"x": 1, "y": 2, "width": 3, "height": 4}},
            }
        }
    )
    assert zones["a"].tolist() == [[0, 0], [9, 0], [9, 9], [0, 0]]
    np.testing.assert_allclose(np.hypot(*(zones["b"] - [5, 6]).T), 3)
    assert zones["c"].tolist() == [[1, 2], [4, 2], [4, 6], [1, 6], [1, 2]]
    canvas = np.zeros((12, 12, 3), np.uint8)
    for outline in zones.values():
        draw_polyline(canvas, outline, (255, 0, 0))
    assert canvas[0, 4].any() and canvas[4, 1].any()


def test_rules_and_outputs_at_every_frame(tmp_path: Path) -> None:
    frames = make_frames(12, rate_hz=20)
    events = make_reactions(frames, 6)  # the laser goes high at frames 0 and 6 for 8 ms, the rule for 40 ms
    Session([Camera("top", frames, make_poses(frames))], events).write(tmp_path / "s")
    logs = read_session(tmp_path / "s")
    rows = camera_frames(logs.cameras["top"])
    tracks = {track.name: track for track in state_tracks(logs, rows, event_records(logs))}
    assert tracks["laser"].values.tolist() == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert tracks["in_corner"].values.tolist() == [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert tracks["feeder"].values.tolist() == [0] * 12
    assert not tracks["protocol"].values.any()


def test_an_output_that_was_high_between_two_frames_is_shown(tmp_path: Path) -> None:
    frames = make_frames(6, rate_hz=20)
    rise = int(frames["decided_ns"][3]) + 10_000_000
    pulse = [(-1, rise, 0, 2, 1, 1, 16, 0, 0), (-1, rise + 8_000_000, 0, 2, 1, 0, 2, 0, 0)]
    Session([Camera("top", frames, make_poses(frames))], np.array(pulse, EVENT_DTYPE)).write(tmp_path / "s")
    logs = read_session(tmp_path / "s")
    tracks = state_tracks(logs, camera_frames(logs.cameras["top"]), event_records(logs))
    feeder = next(track for track in tracks if track.name == "feeder")
    assert feeder.values.tolist() == [0, 0, 0, 0, 1, 0]


def make_session(folder: Path, size: tuple[int, int] = (160, 120)) -> Path:
    frames = make_frames(30)
    Session(
        [Camera("top", frames, make_poses(frames), make_video_log(range(30)))], np.zeros(0, EVENT_DTYPE)
    ).write(folder)
    write_video(folder / "video_top.mkv", 30, size=size)
    return folder


def decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.parametrize("size", [(160, 120), (161, 121)])
def test_labelled_video_has_every_frame_and_the_marks_on_them(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = make_session(tmp_path / "s", size)
    path = write_labelled_video(folder)
    assert path == folder / "labelled_top.mp4"
    frames, originals = decode(path), decode(folder / "video_top.mkv")
    assert len(frames) == 30
    poses = make_poses(make_frames(30))
    for number in (0, 17, 29):
        x, y = poses["raw"][number, 0, 0, :2].round().astype(int)
        red, green, blue = frames[number][y, x].astype(int)
        assert red > green + 60 and red > blue + 60  # the snout's colour
        still = np.abs(
            frames[number][60:120, 140:156].astype(int) - originals[number][60:120, 140:156]
        ).mean()
        assert still < 12  # elsewhere the frame is the recorded one, its grey levels untouched


def test_progress_is_told_and_the_recording_stays_as_it_is(tmp_path: Path) -> None:
    folder = make_session(tmp_path / "s")
    before = (folder / "video_top.mkv").read_bytes()
    told: list[tuple[int, int]] = []
    write_labelled_video(folder, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, 30) for number in range(1, 31)]
    assert (folder / "video_top.mkv").read_bytes() == before


@pytest.mark.parametrize("pix_fmt", ["gray", "yuv420p"])
def test_grey_levels_stay_what_the_camera_gave(tmp_path: Path, pix_fmt: str) -> None:
    frames = make_frames(100)
    session = Session([Camera("top", frames, make_poses(frames), make_video_log(range(100)))])
    folder = session.write(tmp_path / "s")
    write_video(folder / "video_top.mkv", 100, size=(640, 480), pix_fmt=pix_fmt)
    frame = decode(write_labelled_video(folder, min_likelihood=1.0))[99]
    assert frame[55, 130].astype(int) == pytest.approx([220] * 3, abs=5)  # in the bright block
    assert frame[300, 400].astype(int) == pytest.approx([90] * 3, abs=3)


def test_a_likelihood_above_all_leaves_the_animal_free(tmp_path: Path) -> None:
    folder = make_session(tmp_path / "s")
    frame = decode(write_labelled_video(folder, min_likelihood=1.0))[0].astype(int)
    x, y = make_poses(make_frames(1))["raw"][0, 0, 0, :2].round().astype(int)
    assert np.ptp(frame[y, x]) < 40


def test_cameras_that_have_no_video_are_named(tmp_path: Path) -> None:
    folder = make_session(tmp_path / "s")
    with pytest.raises(RecordError, match="no video of camera 'side'; cameras with a video: top"):
        write_labelled_video(folder, camera="side")
