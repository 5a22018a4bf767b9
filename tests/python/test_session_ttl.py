"""Files of TTL edges in every form that is documented, and what is said of those that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpose.errors import RecordError
from fastpose.session.ttl import read_edges

EXPECTED = [0.0, 0.01, 0.02, 0.035]
SECONDS = "100.5\n100.51\n100.52\n100.535\n"
NANOSECONDS = "1700000000500000000\n1700000000510000000\n1700000000520000000\n1700000000535000000\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.txt", SECONDS),
        ("ns.txt", NANOSECONDS),
        ("ns_short.txt", "5\n10000005\n20000005\n35000005\n"),
        ("blank_lines.txt", "\n# edges\n" + SECONDS + "\n\n"),
        ("bom.csv", "\ufefftime_s,line\n" + SECONDS.replace("\n", ",3\n")),
        ("named.csv", "line,time_s\n" + "\n".join(f"3,{line}" for line in SECONDS.split())),
        ("named_ns.csv", "frame;time_ns\n" + "\n".join(f"1;{line}" for line in NANOSECONDS.split())),
        ("any_unit.csv", "timestamp\n" + NANOSECONDS),
        ("other_name.csv", "rising edges\n" + SECONDS),
        ("first_of_two.tsv", SECONDS.replace("\n", "\t1\n")),
        ("spaces.txt", SECONDS.replace("\n", "  1 \n")),
    ],
)
def test_text(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_edges(tmp_path / name) == pytest.approx(EXPECTED, abs=1e-9)


@pytest.mark.parametrize(
    "array",
    [
        np.array([7.5, 7.51, 7.52, 7.535]),
        np.array([7.5, 7.51, 7.52, 7.535]).reshape(-1, 1),
        np.array([int(line) for line in NANOSECONDS.split()]),
        np.array([[0, 9], [10_000_000, 9], [20_000_000, 9], [35_000_000, 9]], np.uint64),
    ],
    ids=["s", "column", "Unix ns", "first of two columns"],
)
def test_npy(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "edges.npy", array)
    assert read_edges(tmp_path / "edges.npy") == pytest.approx(EXPECTED, abs=1e-9)


@given(st.lists(st.integers(1_000_000, 10**9), min_size=1, max_size=50), st.integers(0, 2 * 10**18))
def test_nanoseconds_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], zero: int
) -> None:
    """A Unix time in ns has more digits than a float."""
    path = tmp_path_factory.mktemp("ttl") / "edges.csv"
    times = np.cumsum([zero, *steps])
    path.write_text("\n".join(map(str, times)))
    assert np.diff(read_edges(path)) == pytest.approx(np.array(steps) / 1e9, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no edge"),
        ("1.0\n2.0\nx\n", "row 3 is 'x'; allowed: edge times in s or ns"),
        ("line,time_s\n1,2.0\n1\n", "row 3 is '1'"),
        ("1.0\n2.0\n1.5\n", "edge 2 is not later than edge 1"),
        ("1.0\n1.0\n", "edge 1 is not later than edge 0"),
    ],
)
def test_what_is_no_list_of_edges(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "edges.csv").write_text(text)
    with pytest.raises(RecordError, match=complaint):
        read_edges(tmp_path / "edges.csv")


def test_arrays_that_are_no_list_of_edges(tmp_path: Path) -> None:
    np.save(tmp_path / "edges.npy", np.array(["a", "b"]))
    with pytest.raises(RecordError, match="allowed: edge times"):
        read_edges(tmp_path / "edges.npy")
    (tmp_path / "text.npy").write_text("1\n2\n")
    with pytest.raises(RecordError, match=r"TTL file '.*text.npy'"):
        read_edges(tmp_path / "text.npy")
    with pytest.raises(RecordError, match="cannot read"):
        read_edges(tmp_path / "absent.npy")
