"""Pose files: pandas reads them as it reads those of DeepLabCut, row by row what the log says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables

from fastpose.session.finalise import finalise
from synthetic_session import (
    BODYPARTS,
    Camera,
    Session,
    drop,
    make_frames,
    make_poses,
    make_video_log,
    simple_session,
    write_video,
)

DATA = Path(os.environ.get("FASTPOSE_DATA", "../shared/data"))


def read_csv(path: Path, levels: int = 3) -> pd.DataFrame:
    return pd.read_csv(path, header=list(range(levels)), index_col=0)


def test_single_animal_has_three_levels_and_the_logged_values(tmp_path: Path) -> None:
    session = simple_session(50)
    finalise(session.write(tmp_path / "s"))
    found = pd.read_hdf(tmp_path / "s" / "poses_top.h5", "df_with_missing")
    assert found.columns.names == ["scorer", "bodyparts", "coords"]
    assert found.columns.tolist() == [
        ("fastpose_mouse", part, coord) for part in BODYPARTS for coord in ("x", "y", "likelihood")
    ]
    assert found.index.tolist() == list(range(50))
    np.testing.assert_array_equal(found.to_numpy(), session.cameras[0].poses["raw"].reshape(50, -1))


def test_several_individuals_have_four_levels(tmp_path: Path) -> None:
    frames = make_frames(20)
    poses = make_poses(frames, individuals=2)
    Session([Camera("top", frames, poses, individuals=["a", "b"])]).write(tmp_path / "s")
    finalise(tmp_path / "s")
    found = pd.read_hdf(tmp_path / "s" / "poses_top.h5")
    assert found.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    np.testing.assert_array_equal(
        found["fastpose_mouse"]["b"]["rightear"].to_numpy(), poses["raw"][:, 1, 2].astype(np.float64)
    )
    text = read_csv(tmp_path / "s" / "poses_top.csv", 4)
    assert text.columns.equals(found.columns)


def test_columns_are_what_individuals_can_have(tmp_path: Path) -> None:
    frames = make_frames(20)
    poses = make_poses(frames, individuals=3)
    names = ["a", "b", "single"]
    Session([Camera("top", frames, poses, individuals=names, unique_bodyparts=BODYPARTS[-1:])]).write(
        tmp_path / "s"
    )
    finalise(tmp_path / "s")
    found = pd.read_hdf(tmp_path / "s" / "poses_top.h5")
    animals = [(name, part) for name in names[:2] for part in BODYPARTS[:-1]]
    assert [column[1:3] for column in found.columns[::3]] == [*animals, ("single", BODYPARTS[-1])]
    np.testing.assert_array_equal(
        found["fastpose_mouse"]["single"][BODYPARTS[-1]].to_numpy(), poses["raw"][:, 2, -1].astype(np.float64)
    )
    np.testing.assert_array_equal(
        found["fastpose_mouse"]["b"][BODYPARTS[0]].to_numpy(), poses["raw"][:, 1, 0].astype(np.float64)
    )


def test_csv_holds_what_the_h5_holds(tmp_path: Path) -> None:
    frames = drop(make_frames(40), [7], 2)
    Session([Camera("top", frames, make_poses(frames))]).write(tmp_path / "s")
    finalise(tmp_path / "s")
    text, h5 = read_csv(tmp_path / "s" / "poses_top.csv"), pd.read_hdf(tmp_path / "s" / "poses_top.h5")
    assert text.columns.equals(h5.columns)
    np.testing.assert_array_equal(text.to_numpy(np.float32), h5.to_numpy(np.float32))
    assert h5.loc[7].isna().all() and h5.drop(index=7).notna().all(axis=None)


def test_csv_starts_with_deeplabcuts_header_rows(tmp_path: Path) -> None:
    finalise(simple_session(2).write(tmp_path / "s"))
    lines = (tmp_path / "s" / "poses_top.csv").read_text().splitlines()
    assert lines[0].startswith("scorer,fastpose_mouse,fastpose_mouse,")
    assert lines[1].startswith("bodyparts,snout,snout,snout,leftear")
    assert lines[2].startswith("coords,x,y,likelihood,x,y,likelihood")
    assert lines[3].startswith("0,")
    assert len(lines) == 5


def test_rows_are_the_frames_of_the_video_and_nothing_is_lost(tmp_path: Path) -> None:
    frames = drop(make_frames(30), [4], 2)
    poses = make_poses(frames)
    kept = [number for number in range(28) if number != 10]
    Session([Camera("top", frames, poses, make_video_log(kept))]).write(tmp_path / "s")
    write_video(tmp_path / "s" / "video_top.mkv", len(kept))
    finalise(tmp_path / "s")
    found = pd.read_hdf(tmp_path / "s" / "poses_top.h5")
    by_id = dict(zip(poses["frame_id"].tolist(), poses["raw"].reshape(len(poses), -1), strict=True))
    assert found.index.tolist() == list(range(27))
    for row, frame_id in enumerate(kept):
        expected = by_id.get(frame_id, np.full(12, np.nan))
        np.testing.assert_array_equal(found.iloc[row].to_numpy(), expected.astype(np.float64))
    rest = pd.read_hdf(tmp_path / "s" / "poses_top_unrecorded.h5")
    assert rest.index.tolist() == [10, 28, 29]
    np.testing.assert_array_equal(rest.loc[10].to_numpy(), by_id[10].astype(np.float64))


@pytest.mark.parametrize(("filter_type", "written"), [("one_euro", True), ("none", False)])
def test_filtered_poses_lie_beside_when_a_filter_ran(tmp_path: Path, filter_type: str, written: bool) -> None:
    session = simple_session(10, filter_type=filter_type)
    finalise(session.write(tmp_path / "s"))
    path = tmp_path / "s" / "poses_top_filtered.h5"
    assert path.exists() == written
    if written:
        expected = session.cameras[0].poses["filtered"].reshape(10, -1)
        np.testing.assert_array_equal(pd.read_hdf(path).to_numpy(), expected)


def test_no_frame_is_an_empty_table_that_can_be_read(tmp_path: Path) -> None:
    finalise(simple_session(0).write(tmp_path / "s"))
    assert pd.read_hdf(tmp_path / "s" / "poses_top.h5").shape == (0, 12)
    assert read_csv(tmp_path / "s" / "poses_top.csv").shape == (0, 12)


def attributes(path: Path) -> dict[str, object]:
    with tables.open_file(path) as file:
        group = file.get_node("/df_with_missing")
        table = file.get_node("/df_with_missing/table")
        return {
            **{
                name: str(group._v_attrs[name])
                for name in ("pandas_type", "table_type", "nan_rep", "encoding")
            },
            "values_cols": list(group._v_attrs["values_cols"]),
            "index_cols": group._v_attrs["index_cols"],
            "names": group._v_attrs["info"][1]["names"],
            "columns": table.colnames,
            "types": [str(table.coldtypes[name].base) for name in table.colnames],
            "index_kind": str(table._v_attrs["index_kind"]),
        }


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no data at FASTPOSE_DATA={DATA}")
def test_layout_on_disk_is_deeplabcuts(tmp_path: Path) -> None:
    finalise(simple_session(12).write(tmp_path / "s"))
    ours = attributes(tmp_path / "s" / "poses_top.h5")
    assert ours == attributes(DATA / "dlc-outputs" / "single_animal.h5")
