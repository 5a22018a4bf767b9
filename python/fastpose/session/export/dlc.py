"""A DeepLabCut project whose videos are analysed: its own functions filter, plot and draw the poses."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import yaml

from fastpose.errors import RecordError
from fastpose.session.atomic import replacing
from fastpose.session.export.content import Content, ContentCamera
from fastpose.session.frames import Int64
from fastpose.session.poses import PoseHeader, write_csv, write_h5

__all__ = ["default_name", "write"]

_SINGLE = "single"  # DeepLabCut's name for what has the body parts that are unique
_ROWS_AT_ONCE = 100_000
_MODEL_NOTE = """There is no network here: it ran in fastpose. DeepLabCut makes the name of its results from
the names in this folder, so `snapshot-0.index` is empty and `net_type` says nothing but that it was fastpose.
`deeplabcut.analyze_videos` and training need a shuffle of their own.
"""
_NET_TYPE = "resnet_fastpose"  # DeepLabCut abbreviates names of resnets, mobilenets and efficientnets only


def default_name(content: Content) -> str:
    """Name of the folder in the session folder."""
    return "dlc"


def write(content: Content, folder: Path) -> list[str]:
    """Write the project folder; returns what it leaves out.

    Raises
    ------
    RecordError
        Cameras have networks with other names, or something cannot be written.
    """
    cameras = content.with_poses("a DeepLabCut project")
    header = _common_header(content, cameras)
    project = _Project(content, folder, cameras, header)
    try:
        project.make_folders()
    except OSError as error:
        raise RecordError(f"cannot write '{folder}': {error.strerror}") from error
    project.write_config()
    for camera in cameras:
        project.write_camera(camera)
    _write_csv(folder / "events.csv", content.events)
    return _left_out(cameras)


def _left_out(cameras: list[ContentCamera]) -> list[str]:
    unrecorded = [
        f"camera {camera.name}: {camera.unrecorded} pose(s) of frames that the video lacks are left out"
        for camera in cameras
        if camera.unrecorded
    ]
    unseen = [
        f"camera {camera.name} has no video: DeepLabCut can plot its poses but draw none"
        for camera in cameras
        if camera.video is None
    ]
    return unrecorded + unseen


def _common_header(content: Content, cameras: list[ContentCamera]) -> PoseHeader:
    """The names that all cameras share; a project has one list of them."""
    headers = {camera.name: _header(camera) for camera in cameras}
    first, *rest = headers.values()
    if any(other != first for other in rest):
        raise RecordError(
            f"'{content.logs.session_dir}': cameras {', '.join(headers)} have networks with other body parts "
            "or individuals, and a DeepLabCut project has one list of them; export each with --camera"
        )
    return first


def _header(camera: ContentCamera) -> PoseHeader:
    """The camera's names without scorer, the individual of unique body parts as DeepLabCut calls it."""
    assert camera.header is not None
    names = tuple(animal.name for animal in camera.animals)
    if camera.header.unique_bodyparts:
        names = (*names[:-1], _SINGLE)
    return PoseHeader("", camera.header.bodyparts, names, camera.header.unique_bodyparts)


@dataclass(frozen=True)
class _Poses:
    """The rows of a camera with DeepLabCut's columns."""

    camera: ContentCamera
    header: PoseHeader

    @property
    def columns(self) -> pd.MultiIndex:
        return self.header.columns

    def chunks(self) -> Iterator[tuple[Int64, npt.NDArray[np.float32]]]:
        record = self.camera.records(self.camera.row_ids)
        for start in range(0, max(len(record), 1), _ROWS_AT_ONCE):
            part = record[start : start + _ROWS_AT_ONCE]
            values = [self.camera.keypoints(part, animal) for animal in self.camera.animals]
            rows = np.concatenate([own.reshape(len(part), -1) for own in values], axis=1)
            yield np.arange(start, start + len(part), dtype=np.int64), rows


@dataclass(frozen=True)
class _Project:
    """Paths and names of a DeepLabCut project (3.0)."""

    content: Content
    folder: Path
    cameras: list[ContentCamera]
    header: PoseHeader

    @property
    def task(self) -> str:
        return re.sub(r"[^A-Za-z0-9]", "", self.content.subject) or "session"

    @property
    def date(self) -> str:
        return f"{self.content.start:%b}{self.content.start.day}"

    @property
    def scorer(self) -> str:
        """As DeepLabCut names what the only snapshot of shuffle 1 finds."""
        return f"DLC_{_NET_TYPE.replace('_', '')}_{self.task}{self.date}shuffle1_0"

    @property
    def is_multi(self) -> bool:
        return len(self.header.individuals) > 1

    @property
    def model_dir(self) -> Path:
        name = f"{self.task}{self.date}-trainset95shuffle1"
        return self.folder / "dlc-models" / "iteration-0" / name / "train"

    def video(self, camera: ContentCamera) -> Path:
        """Where the video lies in the project."""
        suffix = ".mkv" if camera.video is None else camera.video.suffix
        return self.folder / "videos" / f"video_{camera.name}{suffix}"

    def make_folders(self) -> None:
        for folder in (
            self.folder / "videos",
            self.folder / "labeled-data",
            self.folder / "training-datasets",
        ):
            folder.mkdir(parents=True, exist_ok=True)
        self.model_dir.mkdir(parents=True, exist_ok=True)
        (self.model_dir / "snapshot-0.index").touch()
        (self.model_dir / "README.txt").write_text(_MODEL_NOTE, "utf-8")
        for camera in self.cameras:
            self._link(camera)

    def _link(self, camera: ContentCamera) -> None:
        """Link the recorded video, as DeepLabCut does with `copy_videos=False`."""
        link = self.video(camera)
        if camera.video is None or (link.exists() and link.samefile(camera.video)):
            return
        session, video = self.content.logs.session_dir.resolve(), camera.video.resolve()
        inside = self.folder.resolve().is_relative_to(session)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(video, link.parent.resolve()) if inside else video)

    def write_config(self) -> None:
        """config.yaml of the project, and what tells the name of the network."""
        _write_yaml(self.folder / "config.yaml", self.config())
        _write_yaml(self.model_dir / "pose_cfg.yaml", {"net_type": _NET_TYPE})

    def config(self) -> dict[str, Any]:
        """The keys of a DeepLabCut project, in the order of its files."""
        return {
            "Task": self.task,
            "scorer": "fastpose",
            "date": self.date,
            "multianimalproject": self.is_multi,
            "identity": False,
            "project_path": str(self.folder.resolve()),
            "engine": "tensorflow",  # of both engines the one that asks for no more than a name
            "video_sets": {
                str(self.video(camera).absolute()): {"crop": "0, {}, 0, {}".format(*_size_px(camera))}
                for camera in self.cameras
                if camera.video is not None
            },
            **self._names(),
            "start": 0,
            "stop": 1,
            "numframes2pick": 20,
            "skeleton": [list(edge) for edge in self.cameras[0].edges],
            "skeleton_color": "white",
            "pcutoff": 0.6,
            "dotsize": 6,
            "alphavalue": 0.7,
            "colormap": "rainbow",
            "TrainingFraction": [0.95],
            "iteration": 0,
            "default_net_type": "resnet_50",
            "default_augmenter": "default",
            **({"default_track_method": "ellipse"} if self.is_multi else {}),
            "snapshotindex": -1,
            "detector_snapshotindex": -1,
            "batch_size": 8,
            "detector_batch_size": 1,
            "cropping": False,
            **dict(zip(("x1", "x2", "y1", "y2"), _corners(self.cameras[0]), strict=True)),
            "corner2move2": [50, 50],
            "move2corner": True,
        }

    def _names(self) -> dict[str, Any]:
        unique = list(self.header.unique_bodyparts)
        bodyparts = list(self.header.bodyparts)
        if not self.is_multi:
            return {"bodyparts": bodyparts}
        individuals = [name for name in self.header.individuals if not (unique and name == _SINGLE)]
        shared = bodyparts[: len(bodyparts) - len(unique)]
        return {
            "individuals": individuals,
            "uniquebodyparts": unique,
            "multianimalbodyparts": shared,
            "bodyparts": "MULTI!",
        }

    def write_camera(self, camera: ContentCamera) -> None:
        """Results of `analyze_videos`, and the times of the frames, which DeepLabCut does not know."""
        stem = self.video(camera).with_suffix("")
        tracked = "_el" if self.is_multi else ""
        header = PoseHeader(
            self.scorer, self.header.bodyparts, self.header.individuals, self.header.unique_bodyparts
        )
        poses = _Poses(camera, header)
        write_h5(stem.with_name(f"{stem.name}{self.scorer}{tracked}.h5"), poses)
        write_csv(stem.with_name(f"{stem.name}{self.scorer}{tracked}.csv"), poses)
        meta = stem.with_name(f"{stem.name}{self.scorer}_meta.pickle")
        with replacing(meta) as temporary:
            temporary.write_bytes(pickle.dumps({"data": self._meta(camera)}))
        times = {
            "frame": np.arange(len(camera.row_ids)),
            "frame_id": camera.row_ids,
            "time_s": pa.array(camera.times_s(camera.row_ids), from_pandas=True),
        }
        _write_csv(stem.with_name(f"{stem.name}_times.csv"), pa.table(times))

    def _meta(self, camera: ContentCamera) -> dict[str, Any]:
        return {
            "start": 0,
            "stop": 0,
            "run_duration": 0,
            "Scorer": self.scorer,
            "DLC-model-config file": {"net_type": _NET_TYPE},
            "fps": camera.rate_hz,
            "batch_size": 1,
            "frame_dimensions": _size_px(camera),
            "nframes": len(camera.row_ids),
            "iteration (active-learning)": 0,
            "training set fraction": 0.95,
            "cropping": False,
            "cropping_parameters": _corners(camera),
            "individuals": list(self.header.individuals),
            "bodyparts": list(self.header.bodyparts),
            "unique_bodyparts": list(self.header.unique_bodyparts),
        }


def _size_px(camera: ContentCamera) -> tuple[int, int]:
    return camera.size_px or (0, 0)


def _corners(camera: ContentCamera) -> list[int]:
    width, height = _size_px(camera)
    return [0, width, 0, height]


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def _write_csv(path: Path, table: pa.Table) -> None:
    with replacing(path) as temporary:
        pc.write_csv(table, temporary)
