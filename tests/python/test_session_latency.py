"""latency.json against percentiles that NumPy takes straight from the stamps, and the page made of it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastpose.session.charts import ms, range_ms
from fastpose.session.finalise import finalise
from fastpose.session.svg import round_ticks
from synthetic_session import Camera, Session, drop, make_frames, make_poses, make_reactions, simple_session

VOID = {"meta", "link", "br", "img", "input", "hr"}


def run(folder: Path, session: Session) -> tuple[dict[str, Any], str]:
    finalise(session.write(folder))
    numbers, page = ((folder / name).read_text(encoding="utf-8") for name in ("latency.json", "latency.html"))
    return json.loads(numbers), page


def expected(values_ns: np.ndarray) -> dict[str, Any]:
    p50, p90, p99, p999 = np.percentile(values_ns / 1e6, [50, 90, 99, 99.9])
    return {
        "n": len(values_ns),
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "p99.9": p999,
        "max": values_ns.max() / 1e6,
    }


def session_with_drops(count: int = 2000) -> tuple[Session, np.ndarray]:
    frames = drop(drop(make_frames(count), [50, 51, 900], 2), [300], 1)
    events = make_reactions(frames, 25, deadline_ms=7.2)
    return Session([Camera("top", frames, make_poses(frames))], events, deadline_ms=7.2), frames


def test_every_span_is_what_numpy_says(tmp_path: Path) -> None:
    session, frames = session_with_drops()
    latency, _ = run(tmp_path / "s", session)
    top = latency["cameras"]["top"]
    done, acted = frames[frames["decided_ns"] != 0], frames[frames["acted_ns"] != 0]
    by_hand = {
        "exposure_start->acted": acted["acted_ns"] - acted["exposure_start_ns"],
        "exposure_start->decided": done["decided_ns"] - done["exposure_start_ns"],
        "dequeued->acted": acted["acted_ns"] - acted["dequeued_ns"],
        "dequeued->decided": done["decided_ns"] - done["dequeued_ns"],
        "exposure_start->received": done["received_ns"] - done["exposure_start_ns"],
        "received->dequeued": done["dequeued_ns"] - done["received_ns"],
        "dequeued->preprocessed": done["preprocessed_ns"] - done["dequeued_ns"],
        "preprocessed->inferred": done["inferred_ns"] - done["preprocessed_ns"],
        "inferred->decoded": done["decoded_ns"] - done["inferred_ns"],
        "decoded->filtered": done["filtered_ns"] - done["decoded_ns"],
        "filtered->decided": done["decided_ns"] - done["filtered_ns"],
        "decided->acted": acted["acted_ns"] - acted["decided_ns"],
    }
    found = {**top["end_to_end"], **top["stages"]}
    assert found.keys() == by_hand.keys()
    for name, values in by_hand.items():
        assert found[name] == pytest.approx(expected(values), abs=1e-6), name


def test_counts_stand_beside_the_percentiles(tmp_path: Path) -> None:
    session, _ = session_with_drops()
    latency, _ = run(tmp_path / "s", session)
    top = latency["cameras"]["top"]
    suppressed = int((session.events["kind"] == 4).sum())
    assert 0 < suppressed < 79
    assert (top["n"], top["drops"], top["late"]) == (1996, 4, suppressed)
    assert top["drops_by_reason"] == {"camera": 1, "ring": 3, "recorder": 0, "transport": 0}
    assert latency["unit"] == "ms"


def test_nothing_measured_is_null_not_zero(tmp_path: Path) -> None:
    latency, page = run(tmp_path / "s", simple_session(0))
    found = latency["cameras"]["top"]["end_to_end"]["exposure_start->acted"]
    assert found == {"n": 0, "p50": None, "p90": None, "p99": None, "p99.9": None, "max": None}
    assert "No frame of camera top was processed" in page


class Checker(HTMLParser):
    """Collects what a page would load and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "xlink:href")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("count", [0, 1, 2, 40, 5000])
def test_page_is_whole_and_loads_nothing(tmp_path: Path, count: int) -> None:
    _, page = run(tmp_path / "s", simple_session(count))
    checker = Checker()
    checker.feed(page)
    assert checker.open == [] and checker.loads == []
    assert not re.search(r"https?://|@import|url\(", page)
    assert checker.tags.count("svg") == (3 if count else 0)
    assert "nan" not in page.lower().replace("finance", "")
    assert len(page) < 500_000


def test_page_shows_drops_late_reactions_and_the_deadline(tmp_path: Path) -> None:
    session, _ = session_with_drops()
    _, page = run(tmp_path / "s", session)
    suppressed = int((session.events["kind"] == 4).sum())
    assert "1 camera · 3 ring" in page
    assert page.count('<path class="late"') == suppressed
    assert page.count('class="tick-drop"') >= 3
    assert "deadline 7.2 ms" in page


def test_page_escapes_what_the_user_wrote(tmp_path: Path) -> None:
    session = simple_session(5, ended={"ended": "fault", "error": "<script>alert(1)</script>"})
    _, page = run(tmp_path / "s", session)
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


def test_page_of_two_cameras_names_both(tmp_path: Path) -> None:
    frames = make_frames(30)
    cameras = [Camera(name, frames, make_poses(frames)) for name in ("top", "side")]
    _, page = run(tmp_path / "s", Session(cameras))
    assert "Camera top" in page and "Camera side" in page


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0086, "8.60 µs"), (0.31, "310 µs"), (8.236, "8.24 ms"), (1234.0, "1,234 ms")],
)
def test_durations_have_three_digits(value: float | None, text: str) -> None:
    assert ms(value).replace("\u00a0", " ") == text


def test_ticks_are_round_and_inside() -> None:
    assert round_ticks(0.0, 10.0) == [0, 2, 4, 6, 8, 10]
    assert round_ticks(6.1, 8.2, 5) == [6.5, 7, 7.5, 8]
    assert round_ticks(3.0, 3.0) == [3.0]


def test_one_far_value_does_not_squeeze_the_rest() -> None:
    values = np.append(np.linspace(5, 6, 10_000), 900.0)
    assert range_ms(values, None)[1] < 10
