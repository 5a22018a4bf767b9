"""Trains the model of a classifier rule on a recorded session; writes it to where the rule looks for it.

    fastpose run examples/classifier.yaml        # or any session of the same rate, network and filter
    python examples/make_classifier.py sessions/SESSION                                  # rule `lingers`
    python examples/make_classifier.py sessions/SESSION --rule in_cluster --clusters 4
    python examples/make_classifier.py sessions/SESSION --config my.yaml --rule grooms --labels my.csv:grooms

Features, window and file are those of the rule in the config, so that training and loop cannot differ. What
is learnt:

- by default a criterion made by hand, so that the example needs nobody's scoring: in the quarter second
  before *and* after a frame the last body part stays within 20 px of its place. The model sees only what was
  before, so it has something to learn.
- `--labels FILE:COLUMN`: your own scoring, a CSV with a row for each pose of the session, 0 or 1.
- `--clusters N`: nobody's: N clusters of the windows (scaled, PCA, k-means), which the forest then learns to
  tell apart.

Needs scikit-learn and skl2onnx.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from fastpose.config import ClassifierRule, Feature, load_config
from fastpose.testing import recorded_poses

CONFIG = Path(__file__).with_name("classifier.yaml")
NEAR_PX, AROUND_NS = 20.0, 250_000_000
NS_PER_MS = 1_000_000

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """A session's filtered poses: (n, individuals, K, 3) in px, their times, their names."""

    poses: npt.NDArray[np.float32]
    times_ns: npt.NDArray[np.int64]
    bodyparts: Sequence[str]
    individuals: Sequence[str]

    @classmethod
    def of(cls, session: Path) -> Track:
        """Read it."""
        record = recorded_poses(session).record
        times_ns = record.frames["exposure_start_ns"].astype(np.int64)
        return cls(record.filtered, times_ns, record.bodyparts, record.individuals)

    def index(self, individual: int | str) -> int:
        """Return an individual's row."""
        return individual if isinstance(individual, int) else list(self.individuals).index(individual)


class Places:
    """Where body parts are as the rule sees them: gated, held for a while; (n, 2), NaN if unknown."""

    def __init__(self, track: Track, rule: ClassifierRule) -> None:
        self.track, self.rule = track, rule
        self.steps_ns = np.diff(track.times_ns, prepend=track.times_ns[0])

    def __call__(self, individual: int | str, bodypart: str) -> Numbers:
        keypoints = self.track.poses[:, self.track.index(individual), self.track.bodyparts.index(bodypart)]
        good = (keypoints[:, 2] >= self.rule.min_likelihood) & np.isfinite(keypoints).all(axis=1)
        seen = np.maximum.accumulate(np.where(good, np.arange(len(good)), 0))
        age_ns = self.track.times_ns - self.track.times_ns[seen]
        known = good[seen] & (age_ns <= self.rule.hold_ms * NS_PER_MS)
        return np.where(known[:, None], keypoints[seen, :2].astype(float), np.nan)

    def new_window(self) -> npt.NDArray[np.bool_]:
        """Frames after a gap."""
        return self.steps_ns > self.rule.max_gap_ms * NS_PER_MS


def feature(places: Places, spec: Feature, individual: int | str) -> Numbers:
    """Return a feature of every frame, (n, numbers), as docs/reference/rules.md defines it."""
    whose = spec.between or (individual,) * len(spec.bodyparts)
    if spec.kind == "likelihoods":
        track = places.track
        parts = [track.bodyparts.index(name) for name in spec.bodyparts]
        return np.nan_to_num(track.poses[:, track.index(individual)][:, parts, 2].astype(float))
    at = [places(one, part) for one, part in zip(whose, spec.bodyparts, strict=True)]
    if spec.kind == "positions":
        return np.hstack(at)
    if spec.kind == "distance":
        return np.linalg.norm(at[0] - at[1], axis=1)[:, None]
    if spec.kind == "speed":
        way = np.linalg.norm(np.diff(at[0], axis=0, prepend=np.nan), axis=1)
        way[places.new_window()] = np.nan
        return (way / np.maximum(places.steps_ns, 1) * 1e9)[:, None]
    flat = [place @ [1, 1j] for place in at]
    with np.errstate(invalid="ignore", divide="ignore"):
        if spec.kind == "angle":
            return np.abs(np.degrees(np.angle((flat[0] - flat[1]) / (flat[2] - flat[1]))))[:, None]
        ahead = (flat[1] - flat[0]) / np.abs(flat[1] - flat[0])
        turned = [(other - flat[0]) / ahead for other in flat[2:]]
    return np.stack([part for one in turned for part in (one.real, one.imag)], axis=1)


def rows_of(track: Track, rule: ClassifierRule) -> Numbers:
    """Return what the rule's model is given at each frame, (n, numbers); NaN where it has no answer."""
    places = Places(track, rule)
    asked = range(track.poses.shape[1]) if rule.individuals is None else rule.individuals
    within = [spec for spec in rule.features if spec.between is None]
    found = [feature(places, spec, individual) for individual in asked for spec in within]
    found += [feature(places, spec, 0) for spec in rule.features if spec.between is not None]
    return windows(np.hstack(found), rule, places.new_window())


def windows(numbers: Numbers, rule: ClassifierRule, begins: npt.NDArray[np.bool_]) -> Numbers:
    """Gather each frame's window: of it and the frames before."""
    length = rule.window_frames
    seen = np.lib.stride_tricks.sliding_window_view(
        numbers, length, axis=0
    )  # (n - length + 1, numbers, length)
    if rule.window == "stack":
        rows = seen.transpose(0, 2, 1).reshape(len(seen), -1).copy()
    elif rule.window == "mean":
        rows = seen.mean(axis=2)
    else:
        rows = np.hstack([seen.mean(axis=2), seen.std(axis=2)])
    # A window begins anew at a gap, and behind a frame of which a feature is unknown.
    broken = sliding_window_view(begins, length)[:, 1:].any(axis=1)
    rows[broken | ~np.isfinite(seen).all(axis=(1, 2))] = np.nan
    return np.vstack([np.full((length - 1, rows.shape[1]), np.nan), rows])


def stays(track: Track) -> npt.NDArray[np.int64]:
    """1 where the last body part stays near its place, before and after: made by hand, and it looks ahead."""
    places = track.poses[:, 0, -1, :2]
    first = np.searchsorted(track.times_ns, track.times_ns - AROUND_NS)
    last = np.searchsorted(track.times_ns, track.times_ns + AROUND_NS, side="right")
    farthest = [
        np.linalg.norm(places[a:b] - p, axis=1).max() for a, b, p in zip(first, last, places, strict=True)
    ]
    return (np.array(farthest) < NEAR_PX).astype(np.int64)


def scored(text: str, frames: int) -> npt.NDArray[np.int64]:
    """Read a column of 0 and 1, FILE:COLUMN."""
    import pandas as pd

    file, _, column = text.rpartition(":")
    table = pd.read_csv(file)
    if column not in table or len(table) != frames or not table[column].isin([0, 1]).all():
        columns = ", ".join(map(str, table))
        raise SystemExit(
            f"--labels {text}: {len(table)} rows of {columns}; allowed: a column {column!r} of 0 and 1 with "
            f"a row for each of the session's {frames} poses"
        )
    return table[column].to_numpy(np.int64)


def clustered(rows: Numbers, count: int) -> npt.NDArray[np.int64]:
    """Return each row's cluster; 0 is the largest."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    steps = make_pipeline(StandardScaler(), PCA(0.95), KMeans(count, n_init=10, random_state=0))
    found = steps.fit_predict(rows)
    order = np.argsort(-np.bincount(found, minlength=count))
    return np.argsort(order)[found]


def describe(rows: Numbers, labels: npt.NDArray[np.int64], rule: ClassifierRule) -> None:
    """Print how much there is of each class, and the means of its features."""
    print("features:", ", ".join(f"{spec.kind} {' '.join(spec.bodyparts)}" for spec in rule.features))
    for label in np.unique(labels):
        mine = labels == label
        bouts = np.count_nonzero(np.diff(mine.astype(int), prepend=0) == 1)
        means = rows[mine].mean(axis=0)[: rows.shape[1] // (2 if rule.window == "mean_std" else 1)]
        print(f"class {label}: {mine.mean():.0%} in {bouts} bouts, means", *(f"{mean:.0f}" for mean in means))


def train(rows: Numbers, labels: npt.NDArray[np.int64]) -> Any:
    """Fit a forest that is small enough for the loop; say how well it does on parts that it has not seen."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import classification_report
    from sklearn.model_selection import KFold, cross_val_predict

    forest = RandomForestClassifier(
        15, max_depth=6, min_samples_leaf=8, class_weight="balanced", random_state=0
    )
    told = cross_val_predict(forest, rows, labels, cv=KFold(5))
    print("each fifth of the recording, told by a forest of the other four:")
    print(classification_report(labels, told, zero_division=0))
    return forest.fit(rows, labels)


def save(forest: Any, numbers: int, file: Path) -> None:
    """Write it as ONNX."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    made = convert_sklearn(
        forest,
        "classifier",
        initial_types=[("numbers", FloatTensorType([None, numbers]))],
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    file.write_bytes(made.SerializeToString())
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the model of one rule."""
    parser = argparse.ArgumentParser(description="Train the model of a classifier rule on a session.")
    parser.add_argument("session", type=Path)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--rule", default="lingers")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--labels", metavar="FILE:COLUMN")
    source.add_argument("--clusters", type=int, metavar="N")
    parser.add_argument("--out", type=Path, help="default: the rule's model")
    asked = parser.parse_args(arguments)
    rule = load_config(asked.config).rules.get(asked.rule)
    if not isinstance(rule, ClassifierRule) or rule.units != "px":
        parser.error(f"--rule {asked.rule} is no classifier rule in px of {asked.config}; give one that is")
    track = Track.of(asked.session)
    rows = rows_of(track, rule)
    whole = np.isfinite(rows).all(axis=1)
    if asked.clusters:
        labels = clustered(rows[whole], asked.clusters)
    else:
        labels = (scored(asked.labels, len(rows)) if asked.labels else stays(track))[whole]
    if len(np.unique(labels)) < 2:
        parser.error(f"all {len(labels)} labels are {labels[:1]}; give a session in which both happen")
    describe(rows[whole], labels, rule)
    save(train(rows[whole], labels), rows.shape[1], asked.out or Path(rule.model))


if __name__ == "__main__":
    main()
