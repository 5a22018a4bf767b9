"""A process with one tool in it, spoken to through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import fastpose

__all__ = ["Child", "ToolError"]

MAIN = Path(__file__).with_name("sides") / "main.py"
ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(fastpose.__file__).resolve().parents[1]


class ToolError(RuntimeError):
    """A tool could not do what it was asked for; the text is the reason."""


class Child:
    """``sides/main.py`` in the environment of a tool; its own output goes to a log.

    Parameters
    ----------
    python : str
        Of that environment.
    side : str
        Stem of a file in ``sides``.
    log : Path
        What it says beside its answers; appended to.
    """

    def __init__(self, python: str, side: str, log: Path) -> None:
        self._log = log
        # Ours is the fastpose of this process, be it installed or built in the tree.
        paths = [str(PACKAGE), str(ROOT), os.environ.get("PYTHONPATH", "")] if side == "ours" else []
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"PYTHONPATH": os.pathsep.join(filter(None, paths))} if paths else {}
        with log.open("a", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [python, str(MAIN), side],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, **what: Any) -> Any:
        """Send a line and wait for the answer.

        Raises
        ------
        ToolError
            The tool could not do it, or its process ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ToolError(f"its process ended; {self._log} says why")
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise ToolError(str(answer["error"]))
        return answer
