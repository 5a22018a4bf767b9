"""What bf16 and fp16 cost networks that were trained, on the reference frames of their packages.

    python -m tools.oracles.trained PACKAGE ... [--page FILE]

bf16 and fp16 as `tools.oracles.precisions` says, both against the package's reference, which the tool that
trained it told. Packages are copied: what is optimised here is not theirs. Fails where a mean is over 0.2 px.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tools.oracles.page import write_rows
from tools.oracles.precisions import COLUMNS, Told, columns, measured

from fastpose.config.model import package_folder

HEAD = ("network", *COLUMNS)


def main() -> int:
    """Measure the packages that the command line names; 1 if one is over the promise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("packages", nargs="+", help="folder or builtin:NAME")
    parser.add_argument("--frames", type=Path, help="what layers are chosen on; default: the package's own")
    parser.add_argument("--page", type=Path, help="docs/reference/parity.md, whose rows are replaced")
    arguments = parser.parse_args()
    good = True
    for name in arguments.packages:
        row, within = _measured(name, arguments.frames)
        good = good and within
        if arguments.page is not None:
            write_rows(arguments.page, "trained", HEAD, [row])
    return int(not good)


def _measured(name: str, frames: Path | None) -> tuple[tuple[str, ...], bool]:
    source = package_folder(name)
    with TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(source, Path(temporary) / source.name))
        (folder / "optimized.json").unlink(missing_ok=True)
        found = measured(folder, _told(folder), frames)
    row = (source.name, *columns(found))
    print("  ".join(f"{cell:>16}" for cell in row), "" if found.good else "OVER", flush=True)
    return row, found.good


def _told(folder: Path) -> Told:
    with np.load(folder / "reference.npz", allow_pickle=False) as arrays:
        poses = arrays["poses"] if "poses" in arrays else arrays["keypoints"][:, None]
        ties = arrays["ties"] if "ties" in arrays else np.zeros(poses.shape[:3], bool)
        return Told(arrays["frames"], poses.astype(np.float32), ties)


if __name__ == "__main__":
    sys.exit(main())
