"""``python -m fastpose.run config.yaml``: the same as ``fastpose run config.yaml``."""

from __future__ import annotations

import typer

from fastpose.cli import run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(run)

if __name__ == "__main__":
    app(prog_name="python -m fastpose.run")
