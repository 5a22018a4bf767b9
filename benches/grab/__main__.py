"""The cost of the grab path on the loop's side, for every camera driver that works here, at 1280x1024.

    python -m benches.grab [--seconds 10] [--sources sim,memory] [--output benches/results/grab.json]

`queued`: from the library's call, for a frame that waits already, until the loop has it (a C++ driver
hands it on in one thread, pylon's process to another process): the cost of the path itself; the
simulated camera renders within that call. `received_to_dequeued`: in a whole session, from the moment
that the call returned with the frame in our memory until a loop that waited for it has it: with the
wake-up of a thread, or of a process. A driver that cannot work on this machine is in the report with its
reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benches.chosen import chosen_of
from benches.grab.sources import RATE_HZ, SIZE, SOURCES, Source
from benches.machine import machine

__all__ = ["main", "parse", "run"]

OUTPUT = Path("benches/results/grab.json")


def run(source: Source, frames: int) -> dict[str, Any]:
    """What came of one source, in a process of its own."""
    about = {"about": source.about, "target_p50_us": source.target_us}
    if reason := source.absent():
        return {**about, "absent": reason}
    with tempfile.TemporaryDirectory(prefix="fastpose-grab-") as folder, _beside(source.companion):
        output = Path(folder) / "found.json"
        command = [sys.executable, "-m", "benches.grab.session", source.name, str(frames), str(output)]
        environment = {**os.environ, **source.environment()}
        done = subprocess.run(command, env=environment, check=False, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            return {**about, "failed": done.stderr.strip().splitlines()[-1]}
        found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return {**about, **found}


@contextmanager
def _beside(command: tuple[str, ...]) -> Iterator[None]:
    """An emulator that runs meanwhile."""
    if not command:
        yield
        return
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


def text(name: str, found: dict[str, Any]) -> str:
    """A source in a line."""
    for word in ("absent", "failed"):
        if word in found:
            return f"{name:<10} {word}: {found[word]}"
    target = f" (target {found['target_p50_us']:g})" if found["target_p50_us"] else ""
    numbers = ",  ".join(
        f"{label}: " + "  ".join(f"{key[:-3]} {found[span][key]:.1f}" for key in ("p50_us", "p99_us"))
        for span, label in (("queued", f"queued{target}"), ("received_to_dequeued", "with wake-up"))
        if found.get(span, {}).get("n")
    )
    return f"{name:<10} {numbers} us, drops {found['drops']}"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.grab", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each source (10)")
    names = ", ".join(source.name for source in SOURCES)
    parser.add_argument("--sources", default="", help=f"comma separated, default all: {names}")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    try:
        options.sources = chosen_of(SOURCES, options.sources, what="source")
    except ValueError as error:
        parser.error(str(error))
    if options.seconds * RATE_HZ < 50:
        parser.error("--seconds must be 0.5 or more")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the sources, print a line each, write the report."""
    options = parse(arguments)
    content: dict[str, Any] = {
        "bench": "grab",
        "machine": machine(),
        "size": list(SIZE),
        "rate_hz": RATE_HZ,
        "sources": {},
    }
    for source in options.sources:
        found = content["sources"][source.name] = run(source, round(options.seconds * RATE_HZ))
        print(text(source.name, found), flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
