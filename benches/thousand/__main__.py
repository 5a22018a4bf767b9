"""A real mouse at 1,000 Hz: the open-field recording from memory, the int8 network on a roi that follows it.

    python -m benches.thousand [--rounds 5] [--rate-hz 1000] [--output benches/results/thousand.json]

Every frame of the recording once a round; every frame has a reaction, from its exposure to the output. Drops
are the ring's, once the roi follows the animal. Pixels: distance from the poses of the float32 network on the
full frame, of the same frames. Needs the recording: FASTPOSE_DATA.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from benches.latency.segment import durations_of, granted_to
from benches.latency.spans import SPANS, summary
from benches.machine import machine
from tools.train.openfield import data_directory

from fastpose import Rig, load_model
from fastpose.config import Config, config_from
from fastpose.hosts.pixels import luma
from fastpose.hosts.reader import VideoReader

__all__ = ["config", "main", "measured"]

VIDEO = data_directory() / "videos" / "m3v1mp4.mp4"
MODEL = Path(__file__).parents[2] / "models" / "openfield"
ROI_PX, MARGIN_PX = 176, 8
SETTLED = 50  # frames at the start of a round that are left out: the animal is found, caches get warm

Poses = npt.NDArray[np.float32]


def main() -> None:
    """Run the rounds, print what came of them and write it."""
    parser = argparse.ArgumentParser(description="A real mouse at 1,000 Hz.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate-hz", type=float, default=1000.0)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--output", type=Path, default=Path("benches/results/thousand.json"))
    arguments = parser.parse_args()
    fingerprint = machine()
    with tempfile.TemporaryDirectory() as folder:
        wanted = config(Path(folder), arguments.rate_hz, arguments.precision)
        rounds = [_round(wanted) for _ in range(arguments.rounds)]
    result = {
        "machine": fingerprint,
        "settings": {
            "rounds": arguments.rounds,
            "rate_hz": arguments.rate_hz,
            "precision": arguments.precision,
            "roi_px": ROI_PX,
            "margin_px": MARGIN_PX,
            "settled_frames": SETTLED,
        },
        **measured(rounds, full_frame_poses()),
    }
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))
    arguments.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def config(folder: Path, rate_hz: float, precision: str) -> Config:
    """The session of one round."""
    return config_from(
        {
            "session": {"subject": "thousand", "directory": str(folder)},
            "cameras": {
                "top": {
                    "driver": "video",
                    "path": str(VIDEO),
                    "in_memory": True,
                    "rate_hz": rate_hz,
                    "pixel_format": "mono8",
                }
            },
            "model": {
                "path": str(MODEL),
                "precision": precision,
                "roi": {"track": True, "size": [ROI_PX, ROI_PX], "margin_px": MARGIN_PX},
            },
            "outputs": {"line": {"driver": "sim"}},
            "protocol": {"type": "cython", "module": "benches.thousand.every_frame"},
            "record": {"video": None},
        }
    )


def _round(wanted: Config) -> tuple[pa.Table, Poses, dict[str, Any]]:
    """Frames, poses (rows, K, 3) and what was granted, of one session."""
    rig = Rig(wanted, feed=False)
    with rig:
        rig.run()
        granted = granted_to(rig)
    table = pq.read_table(rig.directory / "frames.parquet")
    poses = _poses(rig.directory / "poses_top.csv")
    shutil.rmtree(rig.directory)
    return table, poses, granted


def _poses(path: Path) -> Poses:
    values = np.genfromtxt(path, delimiter=",", skip_header=3, dtype=np.float32)[:, 1:]
    return values.reshape(len(values), -1, 3)


def full_frame_poses() -> Poses:
    """Poses (n, K, 3) of the float32 network on every frame of the recording."""
    model = load_model(MODEL, precision="fp32")
    frames = (luma(item.frame) for item in VideoReader(VIDEO, threads=0) if item.frame is not None)
    return np.stack([np.asarray(model.estimate(np.ascontiguousarray(frame))) for frame in frames])


def measured(rounds: list[tuple[pa.Table, Poses, dict[str, Any]]], reference: Poses) -> dict[str, Any]:
    """Spans, drops and distances over all rounds."""
    settled = [_settled(table) for table, _, _ in rounds]
    spans = {
        name: summary(np.concatenate([durations_of(table, *ends) for table in settled]))
        for name, ends in SPANS.items()
    }
    drops = [table["drop_reason"].to_pylist() for table in settled]
    return {
        "spans": spans,
        "drops_of_the_ring": [reasons.count("ring") for reasons in drops],
        "frames": [table.num_rows for table in settled],
        "searched_whole": [_searched_whole(table) for table in settled],
        "px": _distances([(table, poses) for table, poses, _ in rounds], reference),
        "granted": rounds[0][2],
    }


def _settled(table: pa.Table) -> pa.Table:
    return table.slice(SETTLED)


def _searched_whole(table: pa.Table) -> int:
    widths = table["roi_width"].to_pandas().to_numpy(float)
    return int((widths[np.isfinite(widths)] > ROI_PX).sum())


def _distances(rounds: list[tuple[pa.Table, Poses]], reference: Poses) -> dict[str, float]:
    """px between the loop's poses and those in float32 of the full frame, on keypoints over 0.1."""
    found = []
    for table, poses in rounds:
        counters = table["camera_counter"].to_pandas().to_numpy(float)
        for row, pose in enumerate(poses):
            if np.isfinite(counters[row]) and np.isfinite(pose).all():
                wanted = reference[int(counters[row])]
                clear = wanted[:, 2] > 0.1
                found.append(np.linalg.norm(pose[clear, :2] - wanted[clear, :2], axis=1))
    distances = np.concatenate(found)
    return {
        "mean": round(float(distances.mean()), 3),
        "p50": round(float(np.median(distances)), 3),
        "p99": round(float(np.percentile(distances, 99)), 3),
        "max": round(float(distances.max()), 3),
        "n": len(distances),
    }


if __name__ == "__main__":
    main()
