"""Makes what a run needs before anything is timed: frames, weights, packages. Kept in the cache."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benches.compare.cases import NETWORKS, Case, Network
from benches.compare.child import Child
from benches.compare.frames import CALIBRATION, FITTED, SEED, SHOWN, Scene, Size, frames_of, read_scene
from benches.compare.weights import write_export

from fastpose.importing import Options, import_model
from fastpose.model_package import read_model_package

__all__ = ["Prepared", "Workshop"]

EDITION = 1
"""Raised when weights or frames are made in another way: what lies in the cache is then made again."""
UNLIMITED_PX = "10000"
# After minutes of training a few keypoints still have two peaks of one height; where rounding swaps them the
# mean is theirs. The distances stand in the results, 95th percentile and all.
SHORT_TRAINING_PX = "5"
PythonOf = Callable[[str], str]


@dataclass(frozen=True)
class Prepared:
    """A case whose files are there.

    Attributes
    ----------
    frames : Path
        (n, h, w) or (n, h, w, 3) bgr uint8, .npy.
    package : Path
        Of fastpose, with model.onnx.
    export : Path or None
        The ``.pt`` for DeepLabCut's tools.
    made : Path or None
        What sleap-nn or Lightning Pose made.
    about : dict
        Where weights and frames are from.
    """

    case: Case
    frames: Path
    package: Path
    export: Path | None
    made: Path | None
    about: dict[str, Any]

    def options(self) -> dict[str, Any]:
        """What every side may ask for; paths are absolute."""
        network = _plain(self.package)
        return {
            "frames": str(self.frames.resolve()),
            "package": str(self.package.resolve()),
            "onnx": str((self.package / "model.onnx").resolve()),
            "export": str(self.export.resolve()) if self.export else "",
            "made": str(self.made.resolve()) if self.made else "",
            "network": network,
        }


def _plain(folder: Path) -> dict[str, Any]:
    """What one has to know to call the network oneself."""
    package = read_model_package(folder)
    after = {
        "stride": package.stride,
        "locref_stdev": package.locref_stdev,
        "activation": package.activation,
    }
    return {
        "outputs": list(package.outputs),
        "to_tensor": {
            "scale": list(package.normalisation.scale),
            "offset": list(package.normalisation.offset),
            "multiple": package.padding.multiple,
            "colour": package.colour,
        },
        "from_maps": after if package.decoder == "heatmap" else {},
    }


class Workshop:
    """Files of the cases in a folder; those that are there are reused.

    Parameters
    ----------
    folder : Path
        Of the cache; each edition has one inside.
    python_of : callable
        Environment to its Python.
    """

    def __init__(self, folder: Path, python_of: PythonOf) -> None:
        self._folder, self._python_of = folder / f"work-{EDITION}", python_of
        self._folder.mkdir(parents=True, exist_ok=True)
        self._scenes: dict[tuple[int, ...], Scene] = {}

    def prepare(self, case: Case) -> Prepared:
        """Make a case's files.

        Raises
        ------
        ToolError, BuildError, FastposeError
            Weights or package cannot be made.
        """
        network = NETWORKS[case.network]
        frames, source = self._frames(case)
        place = self._folder / network.name
        about_file = self._folder / f"{network.name}.json"
        if not about_file.exists():
            print(f"making weights and package of {network.title}", flush=True)
            about = (
                self._deeplabcut(network) if network.kind == "deeplabcut" else self._other(network, frames)
            )
            about_file.write_text(json.dumps(about), "utf-8")
        about = json.loads(about_file.read_text("utf-8")) | {"frames": source}
        export = self._folder / f"{network.name}.pt"
        made = self._folder / f"{network.name}_made"
        if network.name == "openfield":
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree("models/openfield", place)
        return Prepared(
            case,
            frames,
            place,
            export if export.exists() else None,
            made if made.exists() else None,
            about,
        )

    def _scene(self, numbers: list[int]) -> Scene:
        key = tuple(numbers)
        if key not in self._scenes:
            self._scenes[key] = read_scene(numbers)
        return self._scenes[key]

    def _frames(self, case: Case) -> tuple[Path, str]:
        colour = "grey" if case.grey else "bgr"
        path = self._folder / f"frames_{case.scene}_{case.size[0]}x{case.size[1]}_{colour}.npy"
        scene = self._scene(SHOWN[case.scene])
        if not path.exists():
            frames, _ = frames_of(scene, case.size, arena=case.scene == "arena", seed=SEED + 1)
            np.save(path, frames if case.grey else np.repeat(frames[..., None], 3, 3))
        return path, scene.source

    def _deeplabcut(self, network: Network) -> dict[str, Any]:
        export = self._folder / f"{network.name}.pt"
        about = write_export(network, self._scene(FITTED), export)
        if network.name != "openfield":
            _import(export, self._folder / network.name, self._images((256, 256)))
        return about

    def _other(self, network: Network, frames: Path) -> dict[str, Any]:
        side = {"sleap-nn": "sleap_side", "lightning-pose": "lightning_side"}[network.kind]
        made = self._folder / f"{network.name}_made"
        with Child(self._python_of(network.kind), side, self._folder / f"{side}.log") as child:
            answer = child.ask(make={"folder": str(made.resolve()), "frames": str(frames.resolve())})
        _import(Path(answer["source"]), self._folder / network.name, None)
        return {"weights": f"{network.kind}'s own, from a seed"}

    def _images(self, size: Size) -> Path:
        """Folder of frames as PNG, for `fastpose import --frames` and `optimize --frames`."""
        from PIL import Image

        folder = self._folder / f"calibration_{size[0]}x{size[1]}"
        if not folder.exists():
            folder.mkdir()
            frames, _ = frames_of(self._scene(CALIBRATION), size, arena=False)
            for number, frame in enumerate(frames):
                Image.fromarray(np.repeat(frame[..., None], 3, 2)).save(folder / f"{number:03}.png")
        return folder

    def optimize(self, prepared: Prepared) -> str:
        """Give the package its faster forms by `fastpose optimize`; returns why it has none, or nothing."""
        if (prepared.package / "optimized.json").exists():
            return ""
        print(f"optimizing {prepared.package.name}", flush=True)
        frames = str(self._images((256, 256)))
        words = ["--precision", "int8", "--frames", frames]
        seeded = NETWORKS[prepared.case.network].kind != "deeplabcut"  # finds nothing: its peaks are chance
        words += ["--budget-px", UNLIMITED_PX if seeded else SHORT_TRAINING_PX]
        return _fastpose("optimize", str(prepared.package), *words)

    def tune(self, prepared: Prepared, *, seconds: float = 2.0) -> str:
        """Let `fastpose tune` choose threads for the case's sizes; returns why it could not, or nothing.

        It measures: no work for a machine that is busy.
        """
        multiple = read_model_package(prepared.package).padding.multiple
        sizes = [prepared.case.size, *([prepared.case.roi] if prepared.case.roi else [])]
        words = []
        for size in sizes:
            width, height = (-(-side // multiple) * multiple for side in size)
            words += ["--input-size", f"{width}x{height}"]
        return _fastpose("tune", str(prepared.package), *words, "--seconds", str(seconds))


def _fastpose(command: str, *words: str) -> str:
    """Run a command of fastpose; returns the last line of what it said where it failed."""
    line = [sys.executable, "-m", "fastpose", command, *words]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    told = [each.strip(" │╯╰─") for each in (done.stdout + done.stderr).splitlines()]
    return f"fastpose {command}: {next(filter(None, reversed(told)), done.returncode)}"


def _import(source: Path, folder: Path, images: Path | None) -> None:
    import_model(source, folder, Options(frames=images))
