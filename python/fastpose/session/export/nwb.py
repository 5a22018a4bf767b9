"""NWB: poses with ndx-pose, events, the fate of every exposure, and the video as an external file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fastpose.session.atomic import replacing
from fastpose.session.export.content import CLOCK, Animal, Content, ContentCamera, require_folder_of
from fastpose.session.export.extra import require

__all__ = ["default_name", "write"]

_EVENTS = {
    "rule": "edges of rules: value 1 where a rule began to hold, 0 where it ended",
    "state": "states of the protocol, at their beginning",
    "output": "edges of outputs: value 1 high, 0 low; the time is that of the write that the device took",
    "refused": "what the interlock refused",
    "late": "reactions suppressed because their deadline had passed",
}
_ORIGIN = (
    "(0, 0) is the centre of the first pixel of the sensor's full frame, top left; x to the right, y down"
)


def default_name(content: Content) -> str:
    """Name of the file in the session folder."""
    return f"{content.name}.nwb"


def write(content: Content, path: Path) -> list[str]:
    """Write one NWB file; returns what it leaves out.

    Poses are those of every received frame, also of frames that are not in the video.

    Raises
    ------
    RecordError
        The file cannot be written, or the extra `export` is missing.
    """
    require_folder_of(path)
    pynwb = require("pynwb")
    file = _file(pynwb, content)
    for camera in content.cameras:
        _add_camera(file, content, camera, path)
    _add_events(file, content.events)
    with replacing(path) as temporary, pynwb.NWBHDF5IO(str(temporary), "w") as io:
        io.write(file)
    return []


def _file(pynwb: Any, content: Content) -> Any:
    session = content.logs.config.get("session") or {}
    experimenter = session.get("experimenter")
    return pynwb.NWBFile(
        session_description=f"closed-loop session {content.name}, recorded with fastpose {content.version}",
        identifier=f"{content.name}_{content.start.isoformat()}",
        session_start_time=content.start,
        timestamps_reference_time=content.start,
        session_id=content.name,
        experimenter=[str(experimenter)] if experimenter else None,
        notes=session.get("notes"),
        subject=pynwb.file.Subject(subject_id=content.subject),
    )


def _add_camera(file: Any, content: Content, camera: ContentCamera, path: Path) -> None:
    pynwb = require("pynwb")
    config = (content.logs.config.get("cameras") or {}).get(camera.name) or {}
    device = pynwb.device.Device(
        name=camera.name, description=f"camera, driver {config.get('driver', 'unknown')}"
    )
    file.add_device(device)
    video = _video(pynwb, camera, device, path)
    if video is not None:
        file.add_acquisition(video)
    file.add_acquisition(_exposures(content, camera))
    if camera.header is not None:
        _add_poses(file, content, camera, device, video)


def _video(pynwb: Any, camera: ContentCamera, device: Any, path: Path) -> Any:
    """The recorded video, where there is one with frames in it."""
    if camera.video is None or not len(camera.row_ids):
        return None
    return pynwb.image.ImageSeries(
        name=f"video_{camera.name}",
        description=f"times: {CLOCK}",
        external_file=[os.path.relpath(camera.video.resolve(), path.parent.resolve())],
        format="external",
        starting_frame=[0],
        dimension=None if camera.size_px is None else list(camera.size_px),
        timestamps=camera.times_s(camera.row_ids),
        unit="n.a.",
        device=device,
    )


def _exposures(content: Content, camera: ContentCamera) -> Any:
    """Every exposure and what became of it."""
    table = content.exposures(camera).drop_columns(["camera"])
    about = f"every exposure of camera {camera.name}: -1 and NaN stand for none; time_s: {CLOCK}"
    return _dynamic_table(require("pynwb").core.DynamicTable, f"exposures_{camera.name}", about, table)


def _dynamic_table(kind: Any, name: str, description: str, table: pa.Table, **own: str) -> Any:
    """A table with a column for each of `table`; `own` tells what a column means."""
    made = kind(name=name, description=description, id=np.arange(len(table)))
    for column in table.column_names:
        made.add_column(name=column, description=own.get(column, column), data=_values(table[column]))
    return made


def _values(column: pa.ChunkedArray) -> Any:
    """(n,) with a value for null: NaN for numbers with a point, -1 for whole ones, "" for text."""
    if pa.types.is_string(column.type):
        return [str(value or "") for value in column.to_pylist()]
    missing = np.nan if pa.types.is_floating(column.type) else -1
    filled = column if pa.types.is_boolean(column.type) else column.fill_null(missing)
    return filled.to_numpy()


def _add_poses(file: Any, content: Content, camera: ContentCamera, device: Any, video: Any) -> None:
    behaviour = file.processing.get("behavior") or file.create_processing_module(
        name="behavior", description="poses that the network found while the session ran"
    )
    ndx_pose = require("ndx_pose")
    if "Skeletons" not in behaviour.data_interfaces:
        behaviour.add(ndx_pose.Skeletons(name="Skeletons", skeletons=[]))
    frame_id = camera.frames.received_ids
    times_s, record = camera.times_s(frame_id), camera.records(frame_id)
    for animal in camera.animals:
        suffix = _suffix(content, camera, animal)
        skeleton = _skeleton(ndx_pose, camera, animal, f"skeleton{suffix}")
        behaviour["Skeletons"].add_skeletons(skeleton)
        series = _series(ndx_pose, camera, animal, times_s, record)
        behaviour.add(
            _estimation(content, camera, f"PoseEstimation{suffix}", series, skeleton, device, video)
        )


def _suffix(content: Content, camera: ContentCamera, animal: Animal) -> str:
    """Empty for the only animal of the only camera with poses: the name that readers look for."""
    several = sum(other.header is not None for other in content.cameras) > 1
    of_camera = f"_{camera.name}" if several else ""
    return of_camera + (f"_{animal.name}" if len(camera.animals) > 1 else "")


def _skeleton(ndx_pose: Any, camera: ContentCamera, animal: Animal, name: str) -> Any:
    edges = np.array(camera.edges_of(animal), np.uint8).reshape(-1, 2)
    return ndx_pose.Skeleton(name=name, nodes=list(animal.bodyparts), edges=edges)


def _series(ndx_pose: Any, camera: ContentCamera, animal: Animal, times_s: Any, record: Any) -> list[Any]:
    """A series for each body part; the later ones share the times of the first."""
    keypoints = camera.keypoints(record, animal)
    series: list[Any] = []
    for place, bodypart in enumerate(animal.bodyparts):
        series.append(
            ndx_pose.PoseEstimationSeries(
                name=bodypart,
                description=f"{bodypart} of {animal.name}; times: {CLOCK}",
                data=keypoints[:, place, :2],
                unit="pixels",
                reference_frame=_ORIGIN,
                timestamps=series[0] if series else times_s,
                confidence=keypoints[:, place, 2],
                confidence_definition="likelihood, 0 to 1, as the network gave it",
            )
        )
    return series


def _estimation(
    content: Content,
    camera: ContentCamera,
    name: str,
    series: list[Any],
    skeleton: Any,
    device: Any,
    video: Any,
) -> Any:
    assert camera.header is not None
    which = "as the network gave them" if camera.field == "raw" else "after the filter, as the rules saw them"
    return require("ndx_pose").PoseEstimation(
        name=name,
        pose_estimation_series=series,
        description=f"keypoints of camera {camera.name}, {which}; NaN where a frame was not processed",
        device=device,
        scorer=camera.header.scorer,
        source_software="fastpose",
        source_software_version=content.version,
        skeleton=skeleton,
        source_video=video,
    )


def _add_events(file: Any, events: pa.Table) -> None:
    """A table for each kind of event that there was."""
    kind = require("pynwb.event").EventsTable
    for event, about in _EVENTS.items():
        own = events.filter(pa.compute.equal(events["event"], event)).drop_columns(["event"])
        if len(own):
            file.add_events_table(_events_table(kind, f"{event}_events", about, own))


def _events_table(kind: Any, name: str, about: str, own: pa.Table) -> Any:
    made = kind(
        name=name, description=f"{about}; times: {CLOCK}", source_description="fastpose, while it ran"
    )
    names = ["source" if column == "name" else column for column in own.column_names]  # a table has a name
    rest = own.rename_columns(names).drop_columns(["time_s", "stamp_ns"])
    columns = {column: _values(rest[column]) for column in rest.column_names}
    for column in columns:
        made.add_column(name=column, description=_COLUMNS[column])
    for row, time_s in enumerate(own["time_s"].to_pylist()):
        made.add_event(timestamp=time_s, **{column: values[row] for column, values in columns.items()})
    return made


_COLUMNS = {
    "source": "the rule, state or output",
    "value": "0 or 1, or the number of the state",
    "camera": "camera of the frame that caused it; empty: none",
    "frame_id": "frame that caused it; -1: none",
    "exposure_start_ns": "start of that frame's exposure, host clock, ns; -1: none",
    "decided_ns": "when the frame's reaction was decided, host clock, ns; -1: no action",
    "acted_ns": "when the output was written, host clock, ns; -1: no action",
    "confirmed_ns": "when the device confirmed it, host clock, ns; -1: it did not",
    "latency_ms": "from that to the event; NaN: no frame",
    "late": "after its deadline",
    "cause": "protocol, timer, interlock, safe or user",
}
