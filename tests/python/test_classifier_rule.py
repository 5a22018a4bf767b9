"""Classifier rules: scikit-learn's own answers, features against NumPy, windows, budgets; plug-ins."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from every_rule import every_rule
from fastpose import _core
from fastpose.assembly.behaviour import make_rules
from fastpose.assembly.classifier_model import load_scorer
from fastpose.config import config_from
from fastpose.errors import ConfigError, ModelError
from fastpose.model_package import read_model_package
from sample_config import BODYPARTS, changed, write_package

skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed (extra 'test')")
onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra 'classify')")
ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is not installed (extra 'test')")

MS = 1_000_000


def classes_of(numbers: np.ndarray, count: int) -> np.ndarray:
    score = numbers[:, 0] + np.sin(3 * numbers[:, 1]) - 0.5 * numbers[:, 2]
    return np.digitize(score, np.quantile(score, np.linspace(0, 1, count + 1)[1:-1]))


def estimators() -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seeded: dict[str, Any] = {"random_state": 0}
    return {
        "forest": ensemble.RandomForestClassifier(20, max_depth=6, **seeded),
        "boosting": ensemble.GradientBoostingClassifier(n_estimators=15, **seeded),
        "logistic": LogisticRegression(),
        "scaled forest": make_pipeline(StandardScaler(), ensemble.RandomForestClassifier(10, **seeded)),
        "scaled logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "perceptron": make_pipeline(StandardScaler(), MLPClassifier((16,), max_iter=80, **seeded)),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("name", estimators())
def test_the_scores_are_scikit_learns(name: str, count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(0, 1, (300, 6)).astype(np.float32)
    estimator = estimators()[name].fit(numbers, classes_of(numbers, count))
    scorer = load_scorer(save(estimator, 6, tmp_path))
    expected = estimator.predict_proba(numbers[:50])
    found = np.array([scorer.run(row.tolist()) for row in numbers[:50]])
    assert (scorer.inputs, scorer.classes) == (6, count)
    assert found == pytest.approx(expected, abs=2e-5)
    assert ("OpenVINO" in scorer.description) == (name == "perceptron")


def save(estimator: Any, numbers: int, folder: Path, *, zipmap: bool = True) -> Path:
    from skl2onnx.common.data_types import FloatTensorType

    options = {} if zipmap else {"options": {"zipmap": False}}
    made = skl2onnx.convert_sklearn(
        estimator, initial_types=[("numbers", FloatTensorType([None, numbers]))], **options
    )
    file = folder / "classifier.onnx"
    file.write_bytes(made.SerializeToString())
    return file


@pytest.mark.filterwarnings("ignore")
def test_a_graph_without_a_zipmap_is_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(0, 1, (100, 4)).astype(np.float32)
    forest = ensemble.RandomForestClassifier(5, random_state=0).fit(numbers, classes_of(numbers, 2))
    found = load_scorer(save(forest, 4, tmp_path, zipmap=False)).run(numbers[0].tolist())
    assert found == pytest.approx(forest.predict_proba(numbers[:1])[0], abs=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_what_is_no_classifier_is_named(tmp_path: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    numbers = np.random.default_rng(0).normal(0, 1, (40, 3)).astype(np.float32)
    machine = SVC(probability=True).fit(numbers, classes_of(numbers, 2))
    with pytest.raises(ModelError, match="SVM"):
        load_scorer(save(machine, 3, tmp_path))
    del KNeighborsClassifier
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ModelError, match="is no ONNX file that can be read"):
        load_scorer(tmp_path / "text.onnx")
    with pytest.raises(ModelError, match="is no ONNX file that can be read"):
        load_scorer(tmp_path / "nowhere.onnx")


# Features: an ONNX model that gives back what it is given.


def identity_model(folder: Path, numbers: int) -> Path:
    """A linear classifier whose scores are its numbers."""
    helper = onnx.helper
    given = helper.make_tensor_value_info("numbers", 1, [None, numbers])
    scores = helper.make_tensor_value_info("scores", 1, [None, numbers])
    node = helper.make_node(
        "LinearClassifier",
        ["numbers"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=np.eye(numbers).ravel().tolist(),
        intercepts=[0.0] * numbers,
        classlabels_ints=list(range(numbers)),
    )
    graph = helper.make_graph([node], "same", [given], [scores])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", 3)], ir_version=8)
    file = folder / "classifier.onnx"
    onnx.save(model, str(file))
    return file


class Given:
    """What a classifier is given: the limits at which `score > above` holds say a number, by bisection."""

    def __init__(self, folder: Path, features: list[dict[str, Any]], numbers: int, **values: Any) -> None:
        self.folder, self.features, self.values = folder, features, values
        self.model = identity_model(folder, numbers)

    def __call__(self, index: int, poses: np.ndarray, times_ns: list[int]) -> float:
        low, high = 0.0, 1.0
        for _ in range(14):
            middle = (low + high) / 2
            low, high = (middle, high) if self._above(index, middle, poses, times_ns) else (low, middle)
        return (low + high) / 2

    def _above(self, index: int, above: float, poses: np.ndarray, times_ns: list[int]) -> bool:
        rule = {"type": "classifier", "model": "classifier.onnx", "features": self.features, "above": above}
        rule |= {"class_index": index, "budget_ms": 1e6, **self.values}
        (_, made) = rules_of(changed("rules.r", rule), self.folder)
        return [made.update(pose, time) for pose, time in zip(poses, times_ns, strict=True)][-1]


def rules_of(config: dict[str, Any], folder: Path, **package: Any) -> list[_core.Rule]:
    checked = config_from(config, base=folder)
    network = read_model_package(write_package(folder / "package", **package))
    return make_rules(checked, checked.rules, network, frame_size=(640, 480))


def test_features_equal_numpy(tmp_path: Path) -> None:
    poses = np.ones((2, 1, 5, 3), np.float32)
    poses[:, 0, :, :2] = np.random.default_rng(3).uniform(0.1, 0.4, (2, 5, 2))
    poses[1, 0, 2, 2] = 0.75
    features: list[dict[str, Any]] = [
        {"positions": ["leftear", "snout"]},
        {"likelihoods": ["rightear"]},
        {"egocentric": ["center", "snout", "leftear"]},
        {"distance": ["snout", "tailbase"]},
        {"speed": "snout"},
    ]
    snout, left, _, center, tail = poses[1, 0, :, :2].astype(float) @ [1, 1j]
    ahead = (left - center) / ((snout - center) / abs(snout - center))
    before = poses[0, 0, 0, :2].astype(float) @ [1, 1j]
    expected = [left.real, left.imag, snout.real, snout.imag, 0.75, ahead.real, ahead.imag]
    expected += [abs(snout - tail), abs(snout - before) / 0.5]
    given = Given(tmp_path, features, len(expected), max_gap_ms=1000)
    for index, value in enumerate(expected):
        found = given(index, poses, [0, 500 * MS])
        assert found == pytest.approx(np.clip(value, 0, 1), abs=1e-4), index


@pytest.mark.parametrize("window", ["stack", "mean", "mean_std"])
def test_windows_equal_numpy(window: str, tmp_path: Path) -> None:
    poses = np.ones((4, 1, 5, 3), np.float32)
    poses[:, 0, 0, :2] = np.random.default_rng(4).uniform(0.1, 0.9, (4, 2))
    seen = poses[-3:, 0, 0, :2].astype(float)
    expected = {
        "stack": seen.ravel(),
        "mean": seen.mean(axis=0),
        "mean_std": np.concatenate([seen.mean(axis=0), seen.std(axis=0)]),
    }[window]
    given = Given(
        tmp_path, [{"positions": ["snout"]}], len(expected), window=window, window_frames=3, missing="false"
    )
    times_ns = [10 * i * MS for i in range(4)]
    for index, value in enumerate(expected):
        assert given(index, poses, times_ns) == pytest.approx(value, abs=1e-4)
    assert given(0, poses[:2], times_ns[:2]) == pytest.approx(0, abs=1e-4)  # not full


def test_a_model_over_its_budget_is_refused(tmp_path: Path) -> None:
    identity_model(tmp_path, 10)
    config = every_rule(classifier=tmp_path / "classifier.onnx")
    config["rules"]["classified"]["budget_ms"] = 1e-6
    with pytest.raises(ConfigError, match=r"rules.classified.budget_ms is 1e-06, and an answer takes"):
        rules_of(config, tmp_path)


def test_features_that_the_model_does_not_take(tmp_path: Path) -> None:
    identity_model(tmp_path, 9)
    with pytest.raises(ConfigError, match="give 10 numbers; allowed: the 9 that the model takes"):
        rules_of(every_rule(classifier=tmp_path / "classifier.onnx"), tmp_path)


# Plug-ins.


class FpRuleInput(ctypes.Structure):
    _fields_ = (
        ("keypoints", ctypes.POINTER(ctypes.c_float)),
        ("individuals", ctypes.c_int),
        ("bodyparts", ctypes.c_int),
        ("exposure_start_ns", ctypes.c_int64),
        ("min_likelihood", ctypes.c_float),
        ("active", ctypes.c_int),
    )


PLUGIN = """
import test_classifier_rule as here


def make(options, bodyparts, individuals):
    if set(options) != {"limit"}:
        raise ValueError(f"options are {sorted(options)}; allowed: limit")
    return here.capsule(lambda seen: int(seen.keypoints[3 * bodyparts.index("center")] > options["limit"]))
"""


def capsule(answer: Any) -> Any:
    """A PyCapsule as a compiled plug-in makes it; its function is Python's, which a real one's may not be."""

    class FpRule(ctypes.Structure):
        _fields_ = (
            ("abi", ctypes.c_int32),
            ("evaluate", ctypes.c_void_p),
            ("reset", ctypes.c_void_p),
            ("state", ctypes.c_void_p),
        )

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(FpRuleInput))
    function = kind(lambda state, seen: answer(seen.contents))
    rule = FpRule(1, ctypes.cast(function, ctypes.c_void_p), None, None)
    KEPT.extend((function, rule))
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(ctypes.addressof(rule), b"fastpose.rule", None)


KEPT: list[Any] = []


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with an entry point, as pip lays it out."""
    (tmp_path / "plugged_in.py").write_text(PLUGIN)
    info = tmp_path / "plugged_in-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged-in\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[fastpose.rules]\nto_the_right = plugged_in:make\ngone = nowhere:make\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("installed")
def test_a_plugin_is_found_and_asked(tmp_path: Path) -> None:
    plugin = {"name": "to_the_right", "options": {"limit": 300}}
    rule = rules_of(every_rule(plugin=plugin), tmp_path)[-1]
    at = np.ones((1, 5, 3), np.float32)
    at[0, BODYPARTS.index("center"), 0] = 301
    assert rule.update(at, 0)
    at[0, BODYPARTS.index("center"), 0] = 300
    assert not rule.update(at, MS)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        (
            {"name": "to_the_left"},
            "rules.plugged.name: no installed plug-in of group fastpose.rules 'to_the_left'",
        ),
        ({"name": "gone"}, "rules.plugged.name: plug-in 'gone' cannot be loaded: No module named 'nowhere'"),
        ({"name": "to_the_right"}, "rules.plugged.options: plug-in 'to_the_right' refuses them: options are"),
    ],
)
def test_a_plugin_that_is_not_to_be_had_is_named(plugin: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as info:
        rules_of(every_rule(plugin=plugin), tmp_path)
    assert str(info.value).startswith(text)
