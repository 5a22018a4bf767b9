"""Tables of docs/reference/parity.md: rows that were measured replace those of the same name, the rest stays.

A table follows a line ``<!-- table: NAME -->``; its rows are in the order of their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["PAGE", "write_rows"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "parity.md"

Row = Sequence[str]


def write_rows(page: Path, table: str, head: Row, rows: Sequence[Row]) -> None:
    """Put rows, the first cell of each its name, into a table of the page.

    Raises
    ------
    ValueError
        The page has no such table.
    """
    lines = page.read_text(encoding="utf-8").split("\n")
    marker = f"<!-- table: {table} -->"
    if marker not in lines:
        raise ValueError(f"'{page}' has no line {marker}")
    start = lines.index(marker) + 2
    end = next(i for i, line in enumerate([*lines[start:], ""], start) if not line.startswith("|"))
    known = {name: line for line in lines[start + 2 : end] if (name := line.split("|")[1].strip())}
    known |= {row[0]: _line(row) for row in rows}
    ruler = "| --- |" + " ---: |" * (len(head) - 1)
    lines[start:end] = [_line(head), ruler, *(known[name] for name in sorted(known, key=str.casefold))]
    page.write_text("\n".join(lines), encoding="utf-8")


def _line(cells: Row) -> str:
    return f"| {' | '.join(cells)} |"
