"""examples/make_classifier.py: its features are the rule's own; the loop says what it has trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from examples import make_classifier as script

from fastpose.assembly.classifier_model import load_scorer
from fastpose.config import ClassifierRule, Config, config_from
from fastpose.config.yaml import Loader
from fastpose.testing import Poses, try_protocol, write_session
from fastpose.testing.poses import made_record

pytest.importorskip("onnx", reason="onnx is not installed (extra 'classify')")

EXAMPLES = Path(__file__).parents[2] / "examples"
BODYPARTS = ("snout", "leftear", "rightear", "tailbase")
RATE_HZ, FRAMES, BOUT = 30, 1200, 60
LINGERS = np.arange(FRAMES) // BOUT % 2 == 1


def walk(individuals: int = 1) -> npt.NDArray[np.float32]:
    """An animal that walks for two seconds, stays for two, and so on; its head moves all the time."""
    rng = np.random.default_rng(5)
    way = np.cumsum(np.where(LINGERS, 0.2, 4.0))
    at = 320 + 200j + 150 * np.exp(1j * way / 150)
    ahead = 1j * np.exp(1j * (way / 150 + 0.3 * np.sin(np.arange(FRAMES) / 7)))
    parts = np.stack([at + 110 * ahead, at + (90 + 10j) * ahead, at + (90 - 10j) * ahead, at], axis=1)
    keypoints = np.ones((FRAMES, individuals, len(BODYPARTS), 3), np.float32)
    for individual in range(individuals):
        keypoints[:, individual, :, 0] = parts.real + 30 * individual + rng.normal(0, 0.3, parts.shape)
        keypoints[:, individual, :, 1] = parts.imag + rng.normal(0, 0.3, parts.shape)
    return keypoints


def with_holes(keypoints: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Keypoints that are lost for shorter and for longer than a rule holds them."""
    keypoints[100:102, 0, 0, 2] = 0.1
    keypoints[200:230, 0, 3, 2] = 0.1
    keypoints[300, 0, 1] = np.nan
    return keypoints


def example(**rule: Any) -> Config:
    """The example, without a filter, its rule `lingers` as bare as can be."""
    data = yaml.load((EXAMPLES / "classifier.yaml").read_text(), Loader)
    data["rules"]["lingers"] |= {"hysteresis": 0.0, "min_duration_ms": 0, "missing": "false", **rule}
    data["filter"] = {"type": "none"}
    data["record"] = {"video": None}
    return config_from(data, base=EXAMPLES)


def poses_of(keypoints: npt.NDArray[np.float32], gap_s: float = 0.0) -> Poses:
    """At a steady rate, with one gap."""
    record = made_record("top", keypoints, BODYPARTS, (), RATE_HZ, 8.0)
    for name in ("exposure_start_ns", "received_ns", "dequeued_ns", "filtered_ns", "decided_ns"):
        record.frames[name][500:] += round(gap_s * 1e9)
    return Poses(record)


def session_of(folder: Path, keypoints: npt.NDArray[np.float32], gap_s: float = 0.0) -> Path:
    config, poses = example(), poses_of(keypoints, gap_s)
    return write_session(folder / "session", config, poses, try_protocol(config, poses=poses))


def values(config: Config, poses: Poses, name: str = "lingers") -> npt.NDArray[np.bool_]:
    """A rule's value in each frame, of the loop."""
    edges = np.zeros(len(poses), int)
    for edge in try_protocol(config, poses=poses).rule(name):
        assert edge.frame_id is not None
        edges[edge.frame_id] = 1 if edge.value else -1
    return np.cumsum(edges) > 0


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return session_of(tmp_path, walk())


@pytest.mark.parametrize("window", ["mean_std", "mean", "stack"])
def test_the_rows_are_those_that_the_rule_gives_its_model(window: str, tmp_path: Path) -> None:
    keypoints = with_holes(walk())
    track = script.Track.of(session_of(tmp_path, keypoints, gap_s=0.5))
    config = example(window=window, model=str(tmp_path / "sum.onnx"), above=0.5, class_index=0)
    rule = config.rules["lingers"]
    assert isinstance(rule, ClassifierRule)
    rows = script.rows_of(track, rule)
    whole = np.isfinite(rows).all(axis=1)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, rows.shape[1])
    middle = float(np.median(rows[whole] @ weights))
    save_linear(tmp_path / "sum.onnx", weights / 1e4, 0.5 - middle / 1e4)
    expected = np.zeros(FRAMES, bool)
    expected[whole] = rows[whole] @ weights > middle
    assert 0.3 < expected[whole].mean() < 0.7
    assert not whole[:14].any()
    assert not whole[500:515].any()
    found = values(config, poses_of(keypoints, gap_s=0.5))
    assert (found != expected).sum() <= 2  # float32 at the limit


def save_linear(file: Path, weights: npt.NDArray[np.float64], offset: float) -> None:
    """A classifier whose first class has the score weights * numbers + offset."""
    from onnx import helper, save

    node = helper.make_node(
        "LinearClassifier",
        ["numbers"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=[*weights.tolist(), *[0.0] * len(weights)],
        intercepts=[offset, 0.0],
        classlabels_ints=[0, 1],
    )
    given = helper.make_tensor_value_info("numbers", 1, [None, len(weights)])
    graph = helper.make_graph([node], "sum", [given], [helper.make_tensor_value_info("scores", 1, [None, 2])])
    opset = [helper.make_opsetid("ai.onnx.ml", 3)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(file))


def test_each_kind_of_feature() -> None:
    keypoints = walk(individuals=2)
    track = script.Track(keypoints, np.arange(FRAMES) * 33_000_000, BODYPARTS, ("a", "b"))
    features: list[dict[str, Any]] = [
        {"positions": ["leftear"]},
        {"likelihoods": ["snout", "tailbase"]},
        {"angle": ["leftear", "snout", "rightear"]},
        {"egocentric": ["tailbase", "snout", "leftear"]},
        {"distance": ["snout", "tailbase"], "between": ["a", "b"]},
    ]
    rule = example(features=features, window_frames=1, window="stack", individuals=["b"]).rules["lingers"]
    assert isinstance(rule, ClassifierRule)
    row = script.rows_of(track, rule)[7]
    snout, left, right, tail = keypoints[7, 1, :, :2].astype(float)
    to, sides = snout - tail, (left - snout, right - snout)
    cosine = np.dot(*sides) / np.linalg.norm(sides[0]) / np.linalg.norm(sides[1])
    length = np.linalg.norm(to)
    ear = left - tail
    expected = [*left, 1, 1, np.degrees(np.arccos(cosine)), ear @ to / length]
    expected += [(to[0] * ear[1] - to[1] * ear[0]) / length, np.linalg.norm(keypoints[7, 0, 0, :2] - tail)]
    assert row == pytest.approx(expected, rel=1e-5)


def test_the_models_of_the_example_are_trees_of_two_and_four_classes() -> None:
    models = {name: load_scorer(EXAMPLES / f"{name}.onnx") for name in ("lingers", "clusters")}
    assert {name: (model.inputs, model.classes) for name, model in models.items()} == {
        "lingers": (14, 2),
        "clusters": (14, 4),
    }
    assert not any("OpenVINO" in model.description for model in models.values())


# Training.


@pytest.fixture
def training() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra 'test')")
    pytest.importorskip("skl2onnx", reason="skl2onnx is not installed (extra 'test')")


def agreement(model: Path, wanted: npt.NDArray[np.bool_], **rule: Any) -> float:
    found = values(example(model=str(model), **rule), poses_of(walk()))
    return float((found == wanted)[15:].mean())


@pytest.mark.usefixtures("training")
@pytest.mark.filterwarnings("ignore")
def test_it_learns_the_criterion(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new.onnx"
    script.main([str(session), "--out", str(file)])
    assert agreement(file, LINGERS) > 0.85
    assert "each fifth of the recording" in capsys.readouterr().out


@pytest.mark.usefixtures("training")
@pytest.mark.filterwarnings("ignore")
def test_it_learns_what_a_person_scored(session: Path, tmp_path: Path) -> None:
    file, walks = tmp_path / "new.onnx", (~LINGERS).astype(int)
    (tmp_path / "scored.csv").write_text("walks\n" + "\n".join(map(str, walks)) + "\n")
    script.main([str(session), "--out", str(file), "--labels", f"{tmp_path / 'scored.csv'}:walks"])
    assert agreement(file, ~LINGERS) > 0.85


@pytest.mark.usefixtures("training")
@pytest.mark.filterwarnings("ignore")
def test_it_finds_clusters_and_knows_them_again(session: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.onnx"
    script.main([str(session), "--out", str(file), "--clusters", "2"])
    agreed = [agreement(file, LINGERS, class_index=index, above=None) for index in (0, 1)]
    assert max(agreed) > 0.8
    assert min(agreed) < 0.3


def test_a_wrong_request_is_named(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "short.csv").write_text("walks\n1\n")
    with pytest.raises(SystemExit, match="a row for each of the session's 1200 poses"):
        script.main([str(session), "--labels", f"{tmp_path / 'short.csv'}:walks"])
    with pytest.raises(SystemExit):
        script.main([str(session), "--rule", "nothing"])
    assert "--rule nothing is no classifier rule" in capsys.readouterr().err
