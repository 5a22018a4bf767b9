"""Tests of fastpose.hosts.encoder: every frame is in the file, and no fault of the file is the ring's."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from fake_ring import FakeRing
from fastpose.errors import RecordError
from fastpose.hosts.encoder import Recorder
from fastpose.hosts.pixels import plane
from fastpose.hosts.probe import probe
from fastpose.hosts.reader import VideoReader
from fastpose.hosts.spawn import EncoderOptions
from fastpose.session.log import read_log
from make_videos import grey_frame

Pixels = npt.NDArray[np.uint8]
PERIOD_NS = 5_000_000
FIRST_NS = 77_000_000_123


def options(folder: Path, **more: object) -> EncoderOptions:
    paths = {"path": str(folder / "video_top.mkv"), "log_path": str(folder / "video_top.fplog")}
    return EncoderOptions(**({"ring": "fake", "camera": "top", "rate_hz": 200.0} | paths | more))  # type: ignore[arg-type]


def feed(ring: FakeRing, frames: list[Pixels], *, first_id: int = 0) -> None:
    for index, frame in enumerate(frames):
        ring.feed(frame, first_id + index, FIRST_NS + index * PERIOD_NS)


def noise(count: int, shape: tuple[int, ...]) -> list[Pixels]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(count)]


def decoded(path: str) -> list[av.VideoFrame]:
    with av.open(path) as container:
        return list(container.decode(video=0))


def logged_ids(path: str) -> list[int]:
    log = read_log(Path(path))
    assert log.complete
    assert (log.header["kind"], log.header["camera"]) == ("video", "top")
    return log.records["frame_id"].tolist()


@pytest.mark.parametrize("size", [(320, 240), (641, 479)])
@pytest.mark.parametrize("pixel_format", ["mono8", "bayer_rg8"])
def test_lossless_grey(tmp_path: Path, size: tuple[int, int], pixel_format: str) -> None:
    ring = FakeRing(*size, pixel_format)
    frames = noise(12, size[::-1])
    feed(ring, frames, first_id=40)
    chosen = options(tmp_path, codec="ffv1")
    summary = Recorder(ring, chosen).record()
    got = decoded(chosen.path)
    assert len(got) == 12
    for frame, expected in zip(got, frames, strict=True):
        assert np.array_equal(plane(frame)[:, : size[0]], expected)
    assert logged_ids(chosen.log_path) == list(range(40, 52))
    assert summary == f"12 frames in '{chosen.path}'"
    assert not ring.held
    with av.open(chosen.path) as container:
        assert container.metadata["FASTPOSE_PIXEL_FORMAT"] == pixel_format
        assert container.metadata["FASTPOSE_CAMERA"] == "top"
        assert container.metadata["FASTPOSE_FIRST_EXPOSURE_NS"] == str(FIRST_NS)


@pytest.mark.parametrize(("pixel_format", "order"), [("rgb8", [0, 1, 2]), ("bgr8", [2, 1, 0])])
def test_lossless_colour(tmp_path: Path, pixel_format: str, order: list[int]) -> None:
    ring = FakeRing(321, 241, pixel_format)
    frames = noise(5, (241, 321, 3))
    feed(ring, frames)
    chosen = options(tmp_path, codec="ffv1")
    Recorder(ring, chosen).record()
    for frame, expected in zip(decoded(chosen.path), frames, strict=True):
        assert np.array_equal(frame.to_ndarray(format="rgb24"), expected[:, :, order])


@pytest.mark.parametrize("codec", ["libx264", "mjpeg", "libx265"])
@pytest.mark.parametrize("size", [(320, 240), (321, 241)])
def test_grey_keeps_its_range_in_lossy_codecs(tmp_path: Path, codec: str, size: tuple[int, int]) -> None:
    ring = FakeRing(*size, "mono8")
    frames = [grey_frame(i, *size) for i in range(6)]
    feed(ring, frames)
    more = {"options": {"qmin": "1", "qmax": "2"}} if codec == "mjpeg" else {"crf": 4}
    if codec == "libx265":
        more["options"] = {"x265-params": "log-level=none"}
    chosen = options(tmp_path, codec=codec, **more)
    Recorder(ring, chosen).record()
    got = decoded(chosen.path)
    for frame, expected in zip(got, frames, strict=True):
        assert np.abs(plane(frame)[:, : size[0]].astype(int) - expected).mean() < 1.5
        assert (
            np.abs(frame.to_ndarray(format="gray").astype(int) - expected).mean() < 2
        )  # as other tools read it
    assert probe(chosen.path).is_grey


@pytest.mark.parametrize("size", [(320, 240), (321, 241)])
def test_lossy_colour(tmp_path: Path, size: tuple[int, int]) -> None:
    ring = FakeRing(*size, "rgb8")
    ramp = np.stack(
        [grey_frame(0, *size), np.full(size[::-1], 60, np.uint8), grey_frame(0, *size)[:, ::-1]], axis=2
    )
    feed(ring, [np.ascontiguousarray(ramp)])
    chosen = options(tmp_path, crf=2)
    Recorder(ring, chosen).record()
    assert np.abs(decoded(chosen.path)[0].to_ndarray(format="rgb24").astype(int) - ramp).mean() < 4
    assert not probe(chosen.path).is_grey


@pytest.mark.parametrize("pixel_format", ["yuyv", "nv12"])
def test_yuv_cameras(tmp_path: Path, pixel_format: str) -> None:
    shape = (240, 320, 2) if pixel_format == "yuyv" else (360, 320)
    ring = FakeRing(320, 240, pixel_format)
    frames = noise(3, shape)
    feed(ring, frames)
    chosen = options(tmp_path, codec="ffv1")
    Recorder(ring, chosen).record()
    for frame, expected in zip(decoded(chosen.path), frames, strict=True):
        luma = expected[:, :, 0] if pixel_format == "yuyv" else expected[:240]
        assert np.array_equal(plane(frame)[:, :320], luma)


def test_time_stamps_are_those_of_the_exposures(tmp_path: Path) -> None:
    ring = FakeRing(64, 48)
    times_ms = [0.0, 5.2, 9.9, 10.1, 10.3, 8.0, 250.0, 1400.0]  # a clock that stumbles, and a pause
    for index, time_ms in enumerate(times_ms):
        ring.feed(noise(1, (48, 64))[0], index, FIRST_NS + round(time_ms * 1e6))
    chosen = options(tmp_path)
    Recorder(ring, chosen).record()
    got = decoded(chosen.path)
    assert [round(frame.time * 1000) for frame in got] == [0, 5, 10, 11, 12, 13, 250, 1400]
    assert got[-1].key_frame  # a keyframe each second, however few frames came


def test_a_keyframe_each_second(tmp_path: Path) -> None:
    ring = FakeRing(64, 48)
    feed(ring, [grey_frame(i % 200, 160, 120)[:48, :64] for i in range(500)])
    chosen = options(tmp_path)
    Recorder(ring, chosen).record()
    times_s = [frame.time for frame in decoded(chosen.path) if frame.key_frame]
    assert max(np.diff([*times_s, 2.5])) <= 1.0


def test_what_is_written_is_readable_before_the_end(tmp_path: Path) -> None:
    """A kill takes less than the last second: a copy made after 3 s of a recording holds more than 2 s."""
    ring = FakeRing(64, 48)
    feed(ring, [grey_frame(i % 200, 160, 120)[:48, :64] for i in range(600)])
    chosen = options(tmp_path)
    copy = tmp_path / "copy.mkv"
    recorder = Recorder(ring, chosen)
    ring.producer_ended = False
    ids_in_log: list[int] = []

    def killed() -> bool:
        copy.write_bytes(Path(chosen.path).read_bytes())
        ids_in_log.extend(logged_ids(chosen.log_path))
        return False

    ring.creator_alive = killed  # type: ignore[method-assign]  # asked when the ring is empty
    recorder.record()
    frames = len(decoded(str(copy)))
    assert 400 < frames < 600
    assert ids_in_log == list(range(600))
    assert len(decoded(chosen.path)) == 600


def test_frames_inside_the_encoder_reach_the_file(tmp_path: Path) -> None:
    ring = FakeRing(64, 48)
    feed(ring, [grey_frame(i, 160, 120)[:48, :64] for i in range(50)])
    chosen = options(tmp_path, preset="medium", options={"tune": "film", "bf": "0"})
    Recorder(ring, chosen).record()
    assert len(decoded(chosen.path)) == 50
    assert logged_ids(chosen.log_path) == list(range(50))


def test_full_disk_never_holds_up_the_ring(tmp_path: Path) -> None:
    ring = FakeRing(640, 480)
    feed(ring, noise(40, (480, 640)))
    chosen = options(tmp_path, codec="ffv1")
    recorder = Recorder(ring, chosen)
    Path(chosen.path).unlink()
    Path(chosen.path).symlink_to("/dev/full")  # FFmpeg opens the file with the first frame
    with pytest.raises(RecordError, match=r"video_top\.mkv.*No space left on device"):
        recorder.record()
    assert logged_ids(chosen.log_path) == []
    assert not ring.held and ring.recorder_drained
    states = [state for state, _ in ring.states]
    assert states == ["failed"]
    assert "No space left on device" in ring.states[0][1] and "\n" not in ring.states[0][1]


def test_stop_flag_and_dead_creator_finish_the_file(tmp_path: Path) -> None:
    ring = FakeRing(64, 48, producer_ended=False, alive=False)
    feed(ring, noise(20, (48, 64)))
    chosen = options(tmp_path)
    Recorder(ring, chosen).record()
    assert len(decoded(chosen.path)) == 20


def test_a_producer_that_never_says_goodbye(tmp_path: Path) -> None:
    ring = FakeRing(64, 48, producer_ended=False, stop_requested=True)
    feed(ring, noise(3, (48, 64)))
    chosen = options(tmp_path)
    Recorder(ring, chosen).record()
    assert len(decoded(chosen.path)) == 3


def test_nothing_recorded_is_no_error(tmp_path: Path) -> None:
    chosen = options(tmp_path)
    assert Recorder(FakeRing(64, 48), chosen).record().startswith("0 frames")
    assert logged_ids(chosen.log_path) == []


def test_refuses_at_once(tmp_path: Path) -> None:
    ring = FakeRing(64, 48)
    missing = tmp_path / "missing"
    cases = [
        ({"codec": "h26four"}, "'h26four' is no encoder"),
        ({"preset": "quick"}, "cannot open the encoder libx264"),
        ({"options": {"presett": "fast"}}, "has no option 'presett'"),
        ({"path": str(missing / "a.mkv")}, "cannot make the file: No such file"),
        ({"log_path": str(missing / "a.fplog")}, "No such file"),
    ]
    for index, (more, expected) in enumerate(cases):
        folder = tmp_path / str(index)
        folder.mkdir()
        with pytest.raises(RecordError, match=expected) as raised:
            Recorder(ring, options(folder, **more))
        assert "\n" not in str(raised.value)


def test_never_overwrites(tmp_path: Path) -> None:
    chosen = options(tmp_path)
    Path(chosen.path).write_bytes(b"precious")
    with pytest.raises(RecordError, match="File exists"):
        Recorder(FakeRing(64, 48), chosen)
    assert Path(chosen.path).read_bytes() == b"precious"


def test_own_recording_plays_back(tmp_path: Path) -> None:
    ring = FakeRing(320, 240)
    frames = [grey_frame(i) for i in range(10)]
    feed(ring, frames)
    chosen = options(tmp_path, codec="ffv1")
    Recorder(ring, chosen).record()
    reader = VideoReader(chosen.path)
    items = list(reader)
    assert [round(item.pts_ns / PERIOD_NS) for item in items] == list(range(10))
    assert all(np.array_equal(plane(i.frame)[:, :320], f) for i, f in zip(items, frames, strict=True))


class FakeCores:
    """Counts how often the encoder took all cores."""

    def __init__(self, cpus: tuple[int, ...]) -> None:
        self.confined = bool(cpus)
        self.spreads = 0

    def spread(self) -> None:
        self.confined = False
        self.spreads += 1


@pytest.mark.parametrize(
    ("waiting", "cpus", "spreads"),
    [(8, (0,), 1), (2, (0,), 0), (8, (), 0)],
    ids=["behind", "keeps up", "free"],
)
def test_takes_all_cores_once_it_falls_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waiting: int, cpus: tuple[int, ...], spreads: int
) -> None:
    made: list[FakeCores] = []
    monkeypatch.setattr(
        "fastpose.hosts.encoder.Cores", lambda asked: made.append(FakeCores(asked)) or made[-1]
    )
    ring = FakeRing(32, 32)
    feed(ring, noise(waiting, (32, 32)))
    Recorder(ring, options(tmp_path, codec="ffv1", cpus=cpus)).record()
    assert [cores.spreads for cores in made] == [spreads]
