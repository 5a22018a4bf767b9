"""Compiles a protocol in Cython beside its source; what ``fastpose compile`` calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

from fastpose.errors import ConfigError, DeviceError
from fastpose.policy import compiled_name, get_include, load_policy

__all__ = ["compile_protocol"]

EXTRA = "pip install 'fastpose-rig[cython]'"
_MOST_LINES = 12  # of a compiler's complaint


def compile_protocol(source: str | os.PathLike[str]) -> Path:
    """Compile a protocol so that ``protocol: {type: cython, path: my_protocol.pyx}`` can run it.

    Parameters
    ----------
    source : path-like
        A ``.pyx`` with a function ``policy(rules, outputs, bodyparts)``: see `fastpose.policy`.

    Returns
    -------
    Path
        The extension module, beside the source.

    Raises
    ------
    ConfigError
        There is no such file, it does not compile, or it has no ``policy``.
    DeviceError
        Cython or a C++ compiler is missing; the text says how to get it.
    """
    source = Path(source)
    _require_source(source)
    _require_cython()
    compiler = _compiler()
    target = compiled_name(source)
    with tempfile.TemporaryDirectory(prefix="fastpose-compile-") as folder:
        text = Path(folder) / f"{source.stem}.cpp"
        built = Path(folder) / target.name
        _run(_translate(source, text), source, "Cython")
        _run(_build(compiler, text, built), source, compiler[0])
        load_policy(source.stem, built)
        shutil.move(built, target)
    return target


def _require_source(source: Path) -> None:
    if source.suffix != ".pyx" or not source.stem.isidentifier():
        raise ConfigError(f"'{source}' is no protocol in Cython; allowed: NAME.pyx, NAME as a Python module")
    if not source.is_file():
        raise ConfigError(f"'{source}': no such file; to make one: fastpose new --template cython")


def _require_cython() -> None:
    if find_spec("Cython") is None:
        raise DeviceError(f"Cython is missing, which compiles protocols; install it with: {EXTRA}")


def _compiler() -> list[str]:
    """The C++ compiler: what CXX says, else what Python was built with, else c++."""
    asked = os.environ.get("CXX") or ""
    for command in (asked, str(sysconfig.get_config_var("CXX") or ""), "c++", "g++", "clang++"):
        words = command.split()
        if words and shutil.which(words[0]):
            return words
        if command and command == asked:
            raise DeviceError(f"CXX is {asked!r}: there is no such compiler; take it out of the environment")
    raise DeviceError(
        "there is no C++ compiler, which compiled protocols need; install one (Debian, Ubuntu: apt-get "
        f"install g++), and Cython with: {EXTRA}"
    )


def _translate(source: Path, text: Path) -> list[str]:
    package = Path(__file__).resolve().parents[1]
    options = ["--cplus", "-3", "-I", str(package), "--module-name", source.stem]
    return [sys.executable, "-m", "cython", *options, str(source.resolve()), "-o", str(text)]


def _build(compiler: list[str], text: Path, built: Path) -> list[str]:
    includes = [f"-I{sysconfig.get_path('include')}", f"-I{get_include()}"]
    linking = ["-shared"] if sys.platform != "darwin" else ["-bundle", "-undefined", "dynamic_lookup"]
    flags = ["-O2", "-fPIC", "-std=c++17", "-fno-exceptions", "-w"]
    return [*compiler, *flags, *includes, *linking, str(text), "-o", str(built)]


def _run(command: list[str], source: Path, tool: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise DeviceError(f"{tool} cannot be run: {error}") from error
    if done.returncode == 0:
        return
    said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    raise ConfigError(f"'{source}' does not compile; {tool} says:", *said[:_MOST_LINES])
