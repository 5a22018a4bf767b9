"""`fastpose.dlclive` without the original: shapes, windows, colours, processors, errors."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fastpose as fp
import quantised_package as made
from fastpose import ConfigError, DeviceError, ModelError, dlclive
from fastpose.dlclive import DLCLive, DLCLiveError, DLCLiveWarning, KalmanFilterPredictor, Processor
from fastpose.dlclive.benchmark import benchmark
from fastpose.dlclive.cropping import dynamic_window
from fastpose.dlclive.display import Display, painted
from fastpose.model_package import Detector
from make_videos import make_video

MODEL = "builtin:simulated_mouse"
FRAME = np.random.default_rng(5).integers(0, 256, (120, 160), dtype=np.uint8)


def test_quick_start() -> None:
    dlc_proc = Processor()
    dlc_live = DLCLive(MODEL, processor=dlc_proc)
    dlc_live.init_inference(FRAME)
    pose = dlc_live.get_pose(FRAME)
    assert pose.shape == (len(dlc_live.cfg["all_joints_names"]), 3) and pose.dtype == np.float32


def test_signature_is_the_originals() -> None:
    names = list(inspect.signature(DLCLive).parameters)
    assert names == [
        "model_path",
        "model_type",
        "precision",
        "tf_config",
        "single_animal",
        "device",
        "top_down_config",
        "top_down_dynamic",
        "cropping",
        "dynamic",
        "resize",
        "convert2rgb",
        "processor",
        "display",
        "pcutoff",
        "display_radius",
        "display_cmap",
    ]
    live = DLCLive(MODEL, resize=0.5)
    assert list(live.parameterization) == list(DLCLive.PARAMETERS)
    assert live.parameterization["resize"] == 0.5 and live.precision == "FP32"


def test_same_as_the_model_alone() -> None:
    expected = np.asarray(fp.load_model(MODEL, precision="fp32").estimate(FRAME))
    assert np.array_equal(DLCLive(MODEL).init_inference(FRAME), expected)


def test_crop_is_a_slice_and_an_offset() -> None:
    cropping = [16, 144, 8, 104]
    expected = DLCLive(MODEL).init_inference(FRAME[8:104, 16:144]) + np.float32([16, 8, 0])
    assert np.allclose(DLCLive(MODEL, cropping=cropping).init_inference(FRAME), expected, atol=1e-4)


def test_several_animals_have_an_axis() -> None:
    assert DLCLive(MODEL, single_animal=False).init_inference(FRAME).ndim == 3


def test_the_returned_pose_is_the_callers() -> None:
    live = DLCLive(MODEL, dynamic=(True, 0.0, 10))
    pose = live.init_inference(FRAME)
    pose[:] = -1e6
    live.get_pose(FRAME)
    assert live.dynamic_cropping is not None and live.dynamic_cropping[0] >= 0
    assert live.pose.max() > 0


def test_dynamic_follows_the_network_not_the_processor() -> None:
    class Lost(Processor):
        def process(self, pose: Any, **kwargs: Any) -> Any:
            return pose * np.nan

    live = DLCLive(MODEL, dynamic=(True, 0.0, 10), processor=Lost())
    assert np.isnan(live.init_inference(FRAME)).all()
    live.get_pose(FRAME)
    assert live.dynamic_cropping is not None


def test_init_inference_starts_anew() -> None:
    live = DLCLive(MODEL, dynamic=(True, 0.0, 5))
    first = live.init_inference(FRAME)
    live.get_pose(FRAME)
    assert np.array_equal(live.init_inference(FRAME), first) and live.dynamic_cropping is None


@pytest.mark.parametrize(
    ("pose", "expected"),
    [
        ([[50.9, 40.2, 0.9], [60, 30, 0.9]], (40, 70, 20, 50)),
        ([[50, 40, 0.9], [np.nan, np.nan, 0.9]], (40, 60, 30, 50)),
        ([[50, 40, 0.9], [60, 30, 0.4]], (40, 60, 30, 50)),
        ([[2, 3, 0.5], [158, 118, 0.5]], (0, 160, 0, 120)),
        ([[50, 40, 0.1], [60, 30, 0.1]], None),
        ([[500, 40, 0.9], [510, 30, 0.9]], None),
    ],
)
def test_window(pose: list[list[float]], expected: Any) -> None:
    assert dynamic_window(np.array(pose), (True, 0.5, 10.0), (160, 120)) == expected


def test_window_follows_one_animal_only() -> None:
    with pytest.raises(ValueError, match="one animal"):
        dynamic_window(np.ones((2, 4, 3)), (True, 0.5, 10), (160, 120))
    assert dynamic_window(np.ones((0, 4, 3)), (True, 0.5, 10), (160, 120)) is None


def test_process_frame_gives_what_the_network_sees() -> None:
    bgr = np.random.default_rng(6).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    live = DLCLive(MODEL, cropping=[10, 50, 0, 40], resize=0.5)
    seen = live.process_frame(bgr)
    assert seen.shape == (20, 20, 3)
    assert np.array_equal(DLCLive(MODEL, convert2rgb=False).process_frame(bgr), bgr)
    assert np.array_equal(DLCLive(MODEL).process_frame(bgr), bgr[:, :, ::-1])
    assert np.array_equal(DLCLive(MODEL).process_frame(FRAME), np.dstack([FRAME] * 3))


def test_frames_of_one_and_four_channels() -> None:
    live = DLCLive(MODEL)
    expected = live.init_inference(FRAME)
    assert np.array_equal(live.get_pose(FRAME[:, :, None]), expected)
    bgra = np.dstack([FRAME] * 4)
    assert np.array_equal(live.get_pose(bgra), live.get_pose(bgra[:, :, :3].copy()))


def test_errors() -> None:
    live = DLCLive(MODEL)
    with pytest.raises(DLCLiveError, match="no frame"):
        live.init_inference()
    with pytest.raises(DLCLiveError, match="no frame"):
        live.get_pose(None)
    with pytest.raises(ConfigError, match="uint8"):
        live.get_pose(FRAME.astype(np.float32))
    with pytest.raises(ConfigError, match="list"):
        live.get_pose([1, 2])  # type: ignore[arg-type]
    live.close()
    assert not live.is_initialized
    with pytest.raises(DLCLiveError, match="close"):
        live.get_pose(FRAME)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"model_path": "/nowhere.pt"}, ModelError),
        ({"model_type": "caffe"}, ValueError),
        ({"model_type": "tensorrt"}, DeviceError),
        ({"precision": "FP16"}, DeviceError),
        ({"device": "cuda"}, DeviceError),
        ({"resize": 0}, ConfigError),
        ({"cropping": [10, 5, 0, 5]}, ConfigError),
        ({"top_down_dynamic": {"type": "TopDownDynamicCropper"}}, ConfigError),
        ({"top_down_config": {"boxes": 3}}, ConfigError),
    ],
)
def test_arguments_that_cannot_be_had(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"allowed|no such|not supported"):
        DLCLive(**{"model_path": MODEL, **arguments})


@pytest.mark.parametrize("dynamic", [(False, 0.5, 10), (True, 0.5, 10)], ids=["fixed", "dynamic"])
def test_an_int8_form_runs_where_it_is_asked_for(tmp_path: Path, dynamic: Any) -> None:
    package = made.copy_of_mouse(tmp_path / "mouse")
    with pytest.raises(ModelError, match="has no int8 form; make it with: fastpose optimize"):
        DLCLive(package, precision="INT8", dynamic=dynamic)
    made.add_int8(package)
    frame = np.load(package / "reference.npz")["frames"][0]
    poses = [DLCLive(package, precision=name, dynamic=dynamic).get_pose(frame) for name in ("FP32", "INT8")]
    distance = np.linalg.norm(poses[0][:, :2] - poses[1][:, :2], axis=-1)
    assert 0 < distance.mean() < 0.5


def test_detections_are_bounded_as_the_arguments_say() -> None:
    from fastpose.dlclive.dlclive import _TopDown

    plain = fp.load_model(MODEL).package
    detector = Detector(
        file="detector.onnx",
        kind="boxes",
        outputs=("boxes", "scores"),
        normalisation=plain.normalisation,
        crop_size=(256, 256),
    )
    package = plain.model_copy(update={"detector": detector, "individuals": ("a", "b")})
    asked = _TopDown({"bbox_cutoff": 0.25, "max_detections": 3}, None)
    found = asked.applied_to(package, single_animal=False)
    assert found.count_of_individuals == 3 and found.detector is not None
    assert found.detector.min_score == 0.25
    assert asked.applied_to(package, single_animal=True).count_of_individuals == 1
    assert _TopDown(None, None).applied_to(package, single_animal=False).individuals == ("a", "b")
    assert asked.applied_to(plain, single_animal=True) is plain


def test_a_crop_outside_of_the_frame() -> None:
    with pytest.raises(ConfigError, match="outside"):
        DLCLive(MODEL, cropping=[500, 600, 0, 50]).init_inference(FRAME)


def test_arguments_that_change_nothing_say_so() -> None:
    with pytest.warns(DLCLiveWarning, match="TensorFlow"):
        DLCLive(MODEL, tf_config=object())
    with pytest.warns(DLCLiveWarning, match="detector"):
        DLCLive(MODEL, top_down_config={"skip_frames": {"skip": 5}, "max_detections": 2})


def test_display_without_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "tkinter", None)
    with pytest.raises(DLCLiveError, match="tkinter"):
        DLCLive(MODEL, display=True).init_inference(FRAME)


def test_display_is_given_the_pose_of_the_frame_it_shows() -> None:
    class Kept(Display):
        def display_frame(self, frame: Any, pose: Any = None) -> None:
            self.seen = frame, pose.copy()

    shown = Kept()
    pose = DLCLive(MODEL, cropping=[16, 144, 8, 104], display=shown).init_inference(FRAME)
    assert shown.seen[0].shape == (96, 128, 3)
    assert np.allclose(shown.seen[1] + np.float32([16, 8, 0]), pose)


def test_painted_leaves_out_the_unlikely() -> None:
    black = np.zeros((20, 20, 3), np.uint8)
    poses = np.array([[[10, 10, 0.9], [3, 3, 0.1], [np.nan, 1, 0.9]]])
    drawn = np.asarray(painted(black, poses, [(255, 0, 0)], 2, 0.5))
    assert drawn[10, 10].tolist() == [255, 0, 0] and not drawn[3, 3].any()


# --- processors ---


def moving(count: int, speed: float = 5.0) -> list[np.ndarray]:
    return [np.array([[100 + speed * i, 50, 0.9], [10, 10, 0.8]]) for i in range(count)]


def test_kalman_predicts_steady_motion_without_bias() -> None:
    predictor = KalmanFilterPredictor(adapt=False, forward=0.1, fps=30)
    for number, pose in enumerate(moving(80)):
        predicted = predictor.process(pose, frame_time=number / 30)
    assert predicted[0, 0] - pose[0, 0] == pytest.approx(15, abs=0.05)  # 150 px/s for 0.1 s
    assert predicted[:, 2].tolist() == [0.9, 0.8]
    assert predicted[1, :2] == pytest.approx([10, 10])


def test_kalman_adapts_to_the_age_of_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = KalmanFilterPredictor(adapt=True, forward=0.02, fps=30)
    for number, pose in enumerate(moving(80)):
        monkeypatch.setattr("time.time", lambda taken=number / 30: taken + 0.08)
        predicted = predictor.process(pose, frame_time=number / 30)
    assert predicted[0, 0] - pose[0, 0] == pytest.approx(15, abs=0.05)


def test_kalman_bridges_a_missing_keypoint_and_disturbs_no_other() -> None:
    predictor, alone = (KalmanFilterPredictor(adapt=False, forward=0.0) for _ in range(2))
    for number, pose in enumerate(moving(60)):
        seen = pose.copy()
        if number >= 57:
            seen[0] = np.nan
        predicted = predictor.process(seen, frame_time=number / 30)
        other = alone.process(pose[1:], frame_time=number / 30)
    assert predicted[0, 0] == pytest.approx(pose[0, 0], abs=1.0)
    assert np.array_equal(predicted[1:], other)


def test_kalman_keeps_what_it_never_saw_missing() -> None:
    predicted = KalmanFilterPredictor().process(np.full((2, 3), np.nan), frame_time=0.0)
    assert np.isnan(predicted).all()


@pytest.mark.parametrize("arguments", [{"nderiv": 0}, {"nderiv": 3}, {"nderiv": 1, "priors": [1, 2]}])
def test_kalman_refuses(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        KalmanFilterPredictor(**arguments)


def test_names_are_where_the_original_has_them() -> None:
    from fastpose.dlclive.dlclive import DLCLive as Class
    from fastpose.dlclive.exceptions import DLCLiveError as Error
    from fastpose.dlclive.processor.kalmanfilter import KalmanFilterPredictor as Predictor
    from fastpose.dlclive.processor.processor import Processor as Base

    assert (Class, Error, Predictor, Base) == (DLCLive, DLCLiveError, KalmanFilterPredictor, Processor)
    assert dlclive.VERSION == "1.1.0"


# --- videos ---


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "mouse.mp4"
    make_video(path, frames=6, width=160, height=120)
    return path


def test_benchmark_videos_as_the_readme_calls_it(video: Path, tmp_path: Path) -> None:
    files = dlclive.benchmark_videos(MODEL, [str(video)], output=tmp_path, resize=[1.0, "0.5"], n_frames=3)
    content = pickle.loads(files[0].read_bytes())
    assert content["inference_times"].shape == (2, 3) and content["im_size"] == [(160, 120), (80, 60)]
    assert len(content["stats"]) == 2 and content["dlclive_version"] == "1.1.0"
    assert dlclive.benchmark_videos(MODEL, "base", str(video), output=tmp_path, n_frames=1)[0].stem.endswith(
        "_1"
    )
    with pytest.raises(ConfigError, match="one of them"):
        dlclive.benchmark_videos(MODEL, "base", str(video), resize=1, pixels=100)


def test_benchmark_writes_poses_and_video(video: Path, tmp_path: Path) -> None:
    times, size, meta = benchmark(
        MODEL, "base", str(video), pixels=4800, n_frames=0, display=False, save_dir=str(tmp_path),
        save_poses=True, save_video=True,
    )  # fmt: skip
    assert len(times) == 5 and size == (80, 60) and meta["original_frame_size"] == (160, 120)
    table: Any = pd.read_hdf(next(tmp_path.glob("mouse_poses_*.h5")))
    assert list(table.columns.names) == ["bodyparts", "coords"] and len(table) == 6
    assert fp_frames(next(tmp_path.glob("mouse_DLCLIVE_LABELLED_*.mp4"))) == 6


def fp_frames(path: Path) -> int:
    from fastpose.dlclive.recording import bgr_frames

    return sum(1 for _ in bgr_frames(path))


def test_analyze_video(video: Path, tmp_path: Path) -> None:
    poses, times = dlclive.analyze_video(MODEL, video, save_poses=True, save_dir=tmp_path)
    assert len(poses) == len(times) == 6 and poses[0].ndim == 2
    assert len(pd.read_csv(next(tmp_path.glob("*.csv")), header=[0, 1])) == 6


def test_analyze_live_video_from_anything_ffmpeg_opens(video: Path, tmp_path: Path) -> None:
    poses, _ = dlclive.analyze_live_video(
        MODEL, camera=video, display=False, save_poses=True, save_dir=str(tmp_path), n_frames=3
    )
    assert len(poses) == 3
    header = next(tmp_path.glob("Test_poses_*.csv")).read_text().splitlines()[0]
    assert header.startswith("frame,") and "_confidence" in header


def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(fp.CameraError, match="camera 93"):
        dlclive.analyze_live_video(MODEL, camera=93, display=False)


def test_no_video(tmp_path: Path) -> None:
    with pytest.raises(fp.CameraError):
        dlclive.benchmark_videos(MODEL, "base", str(tmp_path / "none.mp4"))
