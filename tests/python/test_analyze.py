"""Offline analysis: the same keypoints as in the loop, DeepLabCut's files, damaged videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import fastpose as fp
from fastpose.analyze import analyze_video
from fastpose.cli import app
from make_videos import damage, make_video, text_file
from rigs import run_here, video_camera, video_frames

MODEL = "builtin:simulated_mouse"
SIZE = {"width": 160, "height": 120}


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["analyze", *map(str, arguments)])


@pytest.mark.parametrize("values", [{"codec": "ffv1", "pix_fmt": "gray"}, {"pix_fmt": "yuv444p"}])
def test_bit_for_bit_what_the_loop_finds(tmp_path: Path, values: dict[str, Any]) -> None:
    video = damage(make_video(tmp_path / "v.mp4", frames=30, keyframe_every=1, **SIZE, **values), {7, 8})
    model = {"path": MODEL, "device": "cpu", "precision": "fp32"}
    session = run_here(tmp_path, {"cameras.top": video_camera(video), "model": model, "record.video": None})
    live: Any = pd.read_hdf(session.folder / "poses_top.h5")
    found = analyze_video(video, fp.load_model(MODEL, precision="fp32"), tmp_path / "out")
    offline: Any = pd.read_hdf(found.files[0])
    assert found.poses.unreadable == (7, 8) and np.isnan(offline.to_numpy()[[7, 8]]).all()
    assert np.array_equal(live.to_numpy(), offline.to_numpy(), equal_nan=True)
    assert np.isfinite(offline.to_numpy()).any()


def test_files_are_deeplabcuts(tmp_path: Path) -> None:
    video = make_video(tmp_path / "mouse day 1.mp4", frames=12, **SIZE)
    result = invoke(
        video, "--model", MODEL, "-o", tmp_path / "out", "--labelled-video", "--precision", "fp32"
    )
    assert result.exit_code == 0, result.output
    stem = tmp_path / "out" / "mouse day 1fastpose_simulated_mouse"
    h5: Any = pd.read_hdf(f"{stem}.h5", key="df_with_missing")
    text = pd.read_csv(f"{stem}.csv", header=[0, 1, 2], index_col=0)
    assert list(h5.columns.names) == ["scorer", "bodyparts", "coords"] == list(text.columns.names)
    assert set(h5.columns.get_level_values("scorer")) == {"fastpose_simulated_mouse"}
    assert h5.index.tolist() == list(range(12))
    np.testing.assert_allclose(h5.to_numpy(), text.to_numpy(), rtol=1e-6)
    assert video_frames(Path(f"{stem}_p60_labeled.mp4")) == 12
    meta = json.loads(Path(f"{stem}_meta.json").read_text())
    assert meta["nframes"] == 12 and meta["unreadable_frames"] == [] and meta["model"]["sha256"]


def test_several_videos_beside_themselves(tmp_path: Path) -> None:
    videos = [make_video(tmp_path / f"{name}.mkv", frames=4, **SIZE) for name in "ab"]
    assert invoke(*videos, "--model", MODEL).exit_code == 0
    assert len(list(tmp_path.glob("[ab]fastpose_simulated_mouse.csv"))) == 2


def test_one_bad_video_does_not_stop_the_others(tmp_path: Path) -> None:
    bad, good = text_file(tmp_path / "notes.mp4"), make_video(tmp_path / "v.mkv", frames=4, **SIZE)
    result = invoke(bad, tmp_path / "none.mp4", good, "--model", MODEL)
    assert result.exit_code == 2
    assert "notes.mp4" in result.output and "none.mp4" in result.output
    assert (tmp_path / "vfastpose_simulated_mouse.h5").exists()


def test_a_video_without_a_frame_that_can_be_read(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", frames=5, keyframe_every=1, **SIZE)
    with pytest.raises(fp.CameraError, match="cut off or damaged"):
        analyze_video(damage(video, range(5)), fp.load_model(MODEL))


def test_errors_in_one_line(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", frames=2, **SIZE)
    for arguments in (["--model", tmp_path / "none"], ["--model", MODEL, "--device", "gpu"]):
        result = invoke(video, *arguments)
        assert result.exit_code == 2 and "fastpose: " in result.output and "Traceback" not in result.output


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", frames=2, **SIZE)
    (tmp_path / "file").write_text("")
    with pytest.raises(fp.RecordError, match="folder"):
        analyze_video(video, fp.load_model(MODEL), tmp_path / "file" / "out")


def test_what_decoded_the_video_is_said(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", frames=3, **SIZE)
    result = invoke(video, "--model", MODEL, "--precision", "fp32")
    assert result.exit_code == 0 and "decoded by" not in result.output  # as ever: software
    assert json.loads(next(tmp_path.glob("*_meta.json")).read_text())["decoding"] == "software"
    for decoder, text in (
        ("nvdec", "decoder is nvdec with device cpu; allowed: with device cuda"),
        ("vaapi", "decoder is 'vaapi'; allowed: auto, software, nvdec"),
    ):
        refused = invoke(video, "--model", MODEL, "--precision", "fp32", "--decoder", decoder)
        assert refused.exit_code != 0 and text in " ".join(refused.output.split())
