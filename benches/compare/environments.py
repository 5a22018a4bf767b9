"""Builds an environment for each tool, with pinned versions, in a cache outside the tree."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from benches.compare.systems import ENVIRONMENTS, Environment

__all__ = ["BuildError", "cache_folder", "python_of", "versions_of"]

READY = "ready.json"
IMPORTS = {
    "deeplabcut-live": "import torchvision, dlclive",
    "deeplabcut": "import torchvision, deeplabcut.pose_estimation_pytorch.apis.utils",
    "onnxruntime": "import onnxruntime, cv2",
    "openvino": "import openvino, cv2",
    "sleap-nn": "import sleap_nn.inference.predictor",
    "lightning-pose": "import lightning_pose.api",
}
"""What must work in an environment before it is used."""
CPU_WHEELS = "https://download.pytorch.org/whl/cpu/"


class BuildError(RuntimeError):
    """An environment cannot be built; the text is the last line of what pip said."""


def cache_folder() -> Path:
    """Where environments, weights and frames are kept: ``$XDG_CACHE_HOME/fastpose/compare``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fastpose" / "compare"


def python_of(name: str, given: Mapping[str, str], folder: Path) -> str:
    """Python of a tool's environment; built where it is not there yet.

    Parameters
    ----------
    name : str
        Key of `ENVIRONMENTS`.
    given : mapping
        Pythons of environments that the user has, by name.
    folder : Path
        Holds the built ones.

    Raises
    ------
    BuildError
        It cannot be built, or the tool cannot be imported in it.
    """
    environment = ENVIRONMENTS[name]
    if name in given:
        return given[name]
    if not environment.steps:
        return sys.executable
    place = folder / f"{name}-{key_of(environment)}"
    python = place / "bin" / "python"
    if not (place / READY).exists():
        _build(name, environment, place, python)
    return str(python)


def key_of(environment: Environment) -> str:
    """Changes with the steps and with the version of Python."""
    text = json.dumps([environment.steps, sys.version_info[:2]])
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _build(name: str, environment: Environment, place: Path, python: Path) -> None:
    print(f"building the environment of {name} in {place}", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    _run(name, [sys.executable, "-m", "venv", str(place)])
    for step in environment.steps:
        arguments = _cpu_wheels() if any("torch" in each for each in step) else ()
        _run(name, [str(python), "-m", "pip", "install", "--quiet", *arguments, *step])
    _mend_torchvision(python)
    _run(name, [str(python), "-c", IMPORTS[name]])
    versions = versions_of(str(python), environment.versions)
    (place / READY).write_text(json.dumps({"steps": environment.steps, **versions}, indent=1), "utf-8")


def _cpu_wheels() -> tuple[str, ...]:
    """Where torch without CUDA lies; nothing where that cannot be reached."""
    try:
        with urllib.request.urlopen(CPU_WHEELS, timeout=10):
            return ("--extra-index-url", CPU_WHEELS)
    except OSError:
        return ()


def _run(name: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or [f"{command[0]} failed"]
        raise BuildError(f"the environment of {name} cannot be built: {errors[-1]}")


MEND = '''
import importlib.util, pathlib
found = importlib.util.find_spec("torchvision")
if found is not None:
    file = pathlib.Path(found.origin).with_name("extension.py")
    text = file.read_text()
    if "without its operators" not in text:
        file.write_text(text + """

if not _has_ops():  # without its operators: a CUDA build beside torch for the CPU; unused here
    _schemas = torch.library.Library("torchvision", "DEF")
    _schemas.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _schemas.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _schemas.define("roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
                    "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor")
""")
'''


def _mend_torchvision(python: Path) -> None:
    """Where only torchvision's CUDA build can be had, name its operators, so that it imports."""
    broken = subprocess.run([str(python), "-c", "import torchvision"], capture_output=True, check=False)
    if broken.returncode:
        subprocess.run([str(python), "-c", MEND], capture_output=True, check=False)


def versions_of(python: str, names: tuple[str, ...]) -> dict[str, str]:
    """Versions of distributions in an environment; those that are not there say so."""
    code = (
        "import json, sys\nfrom importlib import metadata\n"
        "def version(name):\n"
        "    try: return metadata.version(name)\n"
        "    except metadata.PackageNotFoundError: return 'not installed'\n"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True)
    found = dict(json.loads(done.stdout))
    return found | {"python": _python_version(python)}


def _python_version(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
