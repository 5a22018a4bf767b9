"""What CI runs and what developers run: `nox` does all of it, `nox -s tests` one session."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2024.10"

BUILD_TOOLS = ("cmake>=3.25", "ninja", "pybind11>=3,<4", "cython>=3.1,<4")
ROOT = Path(__file__).parent


def googletest() -> None:
    """Install Debian's GoogleTest where that is possible; else CMake fetches the official release."""
    if Path("/usr/include/gtest/gtest.h").exists() or shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    subprocess.run(["apt-get", "install", "-y", "-qq", "libgtest-dev"], check=False)


def cpp_tests(session: nox.Session, preset: str) -> None:
    """Build the C++ tests with a preset and run them."""
    googletest()
    session.run("cmake", "--preset", preset, "-DFASTPOSE_PYTHON=OFF", "-B", f"build/nox-{preset}", silent=True)
    session.run("cmake", "--build", f"build/nox-{preset}")
    session.run("ctest", "--test-dir", f"build/nox-{preset}", "--output-on-failure", "--timeout", "300")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and the direction of imports, in both languages."""
    session.install("-e", ".[dev]", "--config-settings=cmake.define.FASTPOSE_IN_SOURCE=OFF")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("python", "-m", "mypy.stubtest", "fastpose._core", "--allowlist", "tools/stubtest_allowlist.txt")
    session.run("lint-imports")
    session.run("python", "tools/check_includes.py")
    sources = [str(p) for folder in ("csrc", "src", "tests/cpp") for p in Path(folder).rglob("*.[ch]*") if p.suffix in (".h", ".cpp")]
    session.run("clang-format", "--dry-run", "--Werror", *sources, silent=True)


@nox.session
def tests(session: nox.Session) -> None:
    """The package as users install it, and every test but the sanitizers."""
    session.install(*BUILD_TOOLS)
    session.install(".[test]")
    cpp_tests(session, "dev")
    session.run("pytest", *session.posargs)


@nox.session
@nox.parametrize("preset", ["asan", "tsan"])
def sanitize(session: nox.Session, preset: str) -> None:
    """C++ tests under address and undefined-behaviour, or thread sanitizer."""
    session.install(*BUILD_TOOLS)
    cpp_tests(session, preset)


@nox.session
def tidy(session: nox.Session) -> None:
    """clang-tidy over the engine."""
    session.install(*BUILD_TOOLS, "clang-tidy>=19")
    session.run("cmake", "--preset", "tidy", silent=True)
    session.run("cmake", "--build", "build/tidy")


@nox.session
def benches(session: nox.Session) -> None:
    """Every benchmark; results as JSON under benches/results."""
    session.install(".[test]")
    session.run("python", "-m", "benches.micro")
    session.run("python", "-m", "benches.latency")
