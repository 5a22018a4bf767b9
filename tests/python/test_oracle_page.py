"""The page of parity keeps rows that were not measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.oracles.page import PAGE, write_rows

TEXT = """# Title

<!-- table: one -->

| network | px |
| --- | ---: |
| b | 1 |
| d | 1 |

<!-- table: two -->

| network | px |
| --- | ---: |

After.
"""


def test_rows_are_replaced_or_added_in_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TEXT, encoding="utf-8")
    write_rows(page, "one", ("network", "px", "n"), [("c", "2", "3"), ("b", "5", "6")])
    write_rows(page, "two", ("network", "px"), [("x", "7")])
    text = page.read_text(encoding="utf-8")
    assert "| network | px | n |\n| --- | ---: | ---: |\n| b | 5 | 6 |\n| c | 2 | 3 |\n| d | 1 |\n\n" in text
    assert "| --- | ---: |\n| x | 7 |\n\nAfter.\n" in text


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(TEXT, encoding="utf-8")
    with pytest.raises(ValueError, match="has no line <!-- table: three -->"):
        write_rows(tmp_path / "page.md", "three", ("a",), [])


def test_the_page_of_the_manual_has_its_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"<!-- table: {name} -->\n\n| network |" in text for name in ("deeplabcut3", "trained"))
