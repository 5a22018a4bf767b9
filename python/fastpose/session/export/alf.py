"""ALF, the file names of the Open Neurophysiology Environment (IBL): one row a frame of the video."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastpose.errors import RecordError
from fastpose.session.atomic import replacing, write_json
from fastpose.session.export.content import CLOCK, Animal, Content, ContentCamera

__all__ = ["default_name", "write"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_EXTRA = re.compile(r"[A-Za-z0-9_]+")


def default_name(content: Content) -> str:
    """Name of the folder in the session folder."""
    return "alf"


def write(content: Content, folder: Path) -> list[str]:
    """Write the folder; returns what it leaves out.

    Raises
    ------
    RecordError
        A name is none that ALF can hold, or something cannot be written.
    """
    objects = _objects(content)
    _check_individuals(content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"cannot write '{folder}': {error.strerror}") from error
    for camera in content.cameras:
        _write_camera(content, camera, folder, objects[camera.name])
    _write_events(content.events, folder)
    write_json(folder / "_fastpose_session.info.json", _info(content, objects))
    return [
        f"camera {camera.name}: {camera.unrecorded} pose(s) of frames that the video lacks are left out"
        for camera in content.cameras
        if camera.unrecorded
    ]


def _objects(content: Content) -> dict[str, str]:
    """ALF's object name of each camera: `top` is `topCamera`, `side_left` is `sideLeftCamera`."""
    named = {camera.name: _object(camera.name) for camera in content.cameras}
    for camera, name in named.items():
        if not _NAME.fullmatch(name):
            raise RecordError(
                f"camera '{camera}': ALF has no file name for it; allowed: Latin letters, digits and _"
            )
    double = {name for name in named.values() if list(named.values()).count(name) > 1}
    if double:
        cameras = ", ".join(camera for camera, name in named.items() if name in double)
        raise RecordError(
            f"cameras {cameras} have the same ALF name '{double.pop()}'; export them one by one"
        )
    return named


def _object(camera: str) -> str:
    first, *rest = [word for word in re.split(r"[_\s-]+", camera) if word] or [""]
    name = first + "".join(word[:1].upper() + word[1:] for word in rest)
    return name if name.lower().endswith("camera") else f"{name}Camera"


def _check_individuals(content: Content) -> None:
    for camera in content.cameras:
        for animal in camera.animals if len(camera.animals) > 1 else []:
            if not _EXTRA.fullmatch(animal.name):
                raise RecordError(
                    f"individual '{animal.name}': ALF has no file name for it; "
                    "allowed: Latin letters, digits and _"
                )


def _write_camera(content: Content, camera: ContentCamera, folder: Path, name: str) -> None:
    stem = f"_fastpose_{name}"
    _write_npy(folder / f"{stem}.times.npy", camera.times_s(camera.row_ids))
    _write_npy(folder / f"{stem}.frameIds.npy", camera.row_ids)
    record = camera.records(camera.row_ids)
    for animal in camera.animals:
        extra = f".{animal.name}" if len(camera.animals) > 1 else ""
        _write_table(folder / f"{stem}.dlc{extra}.pqt", _poses(camera, animal, record))
    exposures = content.exposures(camera).drop_columns(["camera"])
    _write_table(folder / f"_fastpose_{name.removesuffix('Camera')}Exposures.table.pqt", exposures)


def _poses(camera: ContentCamera, animal: Animal, record: Any) -> pa.Table:
    """Flat columns as in IBL's `.dlc.pqt`: <part>_x, <part>_y, <part>_likelihood."""
    keypoints = camera.keypoints(record, animal)
    columns = {
        f"{part}_{coord}": np.ascontiguousarray(keypoints[:, place, axis]).astype(np.float64)
        for place, part in enumerate(animal.bodyparts)
        for axis, coord in enumerate(("x", "y", "likelihood"))
    }
    return pa.table(columns)


def _write_events(events: pa.Table, folder: Path) -> None:
    _write_npy(folder / "_fastpose_events.times.npy", events["time_s"].to_numpy().astype(np.float64))
    _write_table(folder / "_fastpose_events.table.pqt", events.drop_columns(["time_s"]))


def _info(content: Content, objects: dict[str, str]) -> dict[str, Any]:
    return {
        "session": content.name,
        "subject": content.subject,
        "session_start": content.start.isoformat(),
        "clock": CLOCK,
        "software": f"fastpose {content.version}",
        "cameras": {camera.name: _camera_info(camera, objects[camera.name]) for camera in content.cameras},
    }


def _camera_info(camera: ContentCamera, name: str) -> dict[str, Any]:
    return {
        "object": name,
        "video": None if camera.video is None else str(camera.video.resolve()),
        "keypoints": camera.field,
        "scorer": camera.header.scorer if camera.header else None,
        "individuals": [animal.name for animal in camera.animals],
        "skeleton": [list(edge) for edge in camera.edges],
    }


def _write_npy(path: Path, values: Any) -> None:
    content = io.BytesIO()
    np.save(content, values, allow_pickle=False)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def _write_table(path: Path, table: pa.Table) -> None:
    """Parquet with the meta data that ONE's reader (iblutil) cannot do without."""
    table = table.replace_schema_metadata({"one_metadata": json.dumps({"software": "fastpose"})})
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
