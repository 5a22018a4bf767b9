"""Writes the README's tables from the results in benches/results: ``python -m benches.table [--check]``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from benches.compare.report import compare_table
from benches.grab.table import grab_table
from benches.markdown import machine_line, markdown
from benches.thousand.table import thousand_table

__all__ = ["TABLES", "latency_table", "micro_table", "with_tables"]

END = "<!-- /bench -->"
README, RESULTS = Path("README.md"), Path("benches/results")

Result = dict[str, Any]


# --- latency ---

LATENCY_HEADER = ("beside the loop", "camera", "dequeued to acted: p50", "p99", "p99.9", "max",
                  "exposure to acted: p50", "p99", "max", "p50 over unloaded", "n", "drops")  # fmt: skip


def latency_table(report: Result) -> str:
    """Return the Markdown of ``latency.json``; times in ms."""
    rows = [_latency_row(result) for result in report["conditions"].values()]
    settings = report["settings"]
    notes = [
        "Times in ms. *dequeued*: the loop takes the frame; *acted*: the output has been written. "
        f"The simulated camera exposes for {settings['exposure_ms']:g} ms and transfers for "
        f"{settings['transfer_ms']:g} ms; a video file does neither.",
    ]
    if any(row[0].endswith("*") for row in rows):
        notes.append("\\* to the decision: a Python protocol acts beside the loop, in its own time.")
    notes.append(
        f"The conditions took turns, {settings['rounds']} rounds of {settings['seconds']:g} s; ratios are "
        "the median over the rounds (smallest-largest)."
    )
    return "\n\n".join([markdown(LATENCY_HEADER, rows), " ".join(notes), machine_line(report["machine"])])


def _latency_row(result: Result) -> list[str]:
    stop = "acted" if result["spans"]["dequeued_to_acted"]["n"] else "decided"
    inside, whole = (result["spans"][f"{start}_to_{stop}"] for start in ("dequeued", "exposure_start"))
    return [
        result["about"] + ("" if stop == "acted" else " \\*"),
        _source(result["condition"]),
        *_ms(inside, "p50_us", "p99_us", "p99_9_us", "max_us"),
        *_ms(whole, "p50_us", "p99_us", "max_us"),
        _ratio(result["p50_ratio"]),
        f"{inside['n']:,}",
        _drops(result),
    ]


def _source(condition: Result) -> str:
    width, height = condition["frame_size"]
    return f"{width}x{height}, {condition['rate_hz']:g} Hz"


def _ms(numbers: dict[str, float], *names: str) -> list[str]:
    return [f"{numbers[name] / 1e3:.2f}" if name in numbers else "" for name in names]


def _ratio(ratio: Result | None) -> str:
    return "" if ratio is None else f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})"


def _drops(result: Result) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in result["frames"]["drops"].items()) or "0"


# --- micro ---

MICRO_HEADER = (
    *("stage", "fastpose in C++", "from Python", "careful", "plain"),
    *("C++ faster than careful", "than plain", "Python faster than careful", "than plain"),
)
OURS = "fastpose auto"
INSIDE = f"{OURS}, in C++"


def micro_table(report: Result) -> str:
    """Return the Markdown of ``micro.json``; median times in us."""
    results = [result for result in report["results"] if OURS in result["times"]]
    rows = [_micro_row(result) for result in results]
    rounds = max((result["times"][OURS]["n"] for result in results), default=0)
    note = (
        f"Median of {rounds} interleaved runs in us; in C++ is how the loop runs it, from Python adds "
        "the call. *plain*: as found in scripts, *careful*: the same without needless copies, both with "
        "OpenCV and NumPy. Ratios: median over the rounds (10th-90th percentile)."
    )
    return "\n\n".join([markdown(MICRO_HEADER, rows), note, machine_line(report["machine"])])


def _micro_row(result: Result) -> list[str]:
    times, faster = result["times"], result["faster_than"]
    medians = [_us(times.get(name)) for name in (INSIDE, OURS, "careful", "plain")]
    ratios = [faster.get(ours, {}).get(name) for ours in (INSIDE, OURS) for name in ("careful", "plain")]
    return [result["case"], *medians, *map(_times_faster, ratios)]


def _us(numbers: dict[str, float] | None) -> str:
    return "" if numbers is None else f"{numbers['p50_us']:,.0f}"


def _times_faster(ratio: Result | None) -> str:
    return "" if ratio is None else f"{ratio['median']:.1f} ({ratio['p10']:.1f}-{ratio['p90']:.1f})"


# --- README ---

TABLES = {
    "latency": latency_table,
    "micro": micro_table,
    "compare": compare_table,
    "thousand": thousand_table,
    "grab": grab_table,
}


def with_tables(text: str, results: Path) -> str:
    """Return the text with every table between its markers rewritten.

    Parameters
    ----------
    text : str
        Holds ``<!-- bench:NAME -->`` ... ``<!-- /bench -->``, NAME one of `TABLES`.
    results : Path
        Folder with NAME.json; a table whose file is missing stays as it is.

    Raises
    ------
    ValueError
        A marker has no end, or names no table.
    """
    parts = re.split(r"(<!-- bench:\w+ -->)", text)
    for index in range(1, len(parts), 2):
        name = parts[index][len("<!-- bench:") : -len(" -->")]
        if name not in TABLES:
            raise ValueError(f"marker {parts[index]} names no table; allowed: {', '.join(TABLES)}")
        if END not in parts[index + 1]:
            raise ValueError(f"marker {parts[index]} has no end; write {END} behind the table")
        file = results / f"{name}.json"
        if file.exists():
            _, _, rest = parts[index + 1].partition(END)
            table = TABLES[name](json.loads(file.read_text(encoding="utf-8")))
            parts[index + 1] = f"\n{table}\n{END}{rest}"
    return "".join(parts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.table", description=__doc__)
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a table is out of date")
    options = parser.parse_args(arguments)
    try:
        old = options.readme.read_text(encoding="utf-8")
        new = with_tables(old, options.results)
    except (OSError, ValueError) as error:
        print(f"{options.readme}: {error}", file=sys.stderr)
        return 2
    if options.check and new != old:
        print(f"{options.readme}: the tables differ from {options.results}; run python -m benches.table")
        return 1
    if new != old:
        options.readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
