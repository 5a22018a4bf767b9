"""What CI runs and what developers run: `nox` does all of it, `nox -s tests` one session."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests", "imports"]
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2024.10"

BUILD_TOOLS = ("cmake>=3.25", "ninja", "pybind11>=3,<4", "cython>=3.1,<4")
EXTENSIONS = ("fastpose._core", "fastpose._openvino", "fastpose.example_policy")
OPTIONAL_EXTENSIONS = ("fastpose._aravis", "fastpose._cuda")
ARAVIS = ["libaravis-dev", "libusb-1.0-0-dev", "libxml2-dev", "zlib1g-dev", "pkg-config", "aravis-tools"]
"""What driver aravis is built with on Debian, and the fake GigE camera of its tests."""
TORCH = ("torch==2.13.0", "torchvision==0.28.0")
TORCH_TESTS = (
    *(
        "test_crop.py",
        "test_dlclive.py",
        "test_dlclive_golden.py",
        "test_golden_dlc.py",
        "test_importing_cli.py",
    ),
    *("test_cuda_onnx_torch.py", "test_importing_detect.py", "test_importing_dlc3.py"),
    "test_importing_dlc3_project.py",
    *("test_importing_dlc3_top_down.py", "test_importing_seeded.py", "test_network.py", "test_verify.py"),
)
STUBTEST_OPTIONS = ("--mypy-config-file", "pyproject.toml", "--allowlist", "tools/stubtest_allowlist.txt")


def can_install() -> bool:
    """Whether Debian packages can be installed here."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def debian(*packages: str) -> None:
    """Try to install Debian packages."""
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=False)


def googletest() -> None:
    """Install Debian's GoogleTest where that is possible; else CMake fetches the official release."""
    if can_install() and not Path("/usr/include/gtest/gtest.h").exists():
        debian("libgtest-dev")


def rtsp_server() -> None:
    """Install Debian's RTSP server where that is possible; else the tests of RTSP cameras are skipped."""
    look = ("/usr/bin/python3", "tests/python/rtsp_server.py", "--look")
    if can_install() and subprocess.run(look, check=False).returncode != 0:
        plugins = (f"gstreamer1.0-plugins-{package}" for package in ("base", "good", "ugly"))
        debian("gir1.2-gst-rtsp-server-1.0", "python3-gi", *plugins)


def motion_jpeg() -> None:
    """Install Debian's libjpeg-turbo where that is possible; else tests of Motion-JPEG are skipped."""
    if can_install() and not ctypes.util.find_library("turbojpeg"):
        debian("libturbojpeg0")


def cpp_tests(session: nox.Session, preset: str) -> None:
    """Build the C++ tests with a preset and run them."""
    googletest()
    motion_jpeg()
    folder = f"build/nox-{preset}"
    session.run("cmake", "--preset", preset, "-DFASTPOSE_PYTHON=OFF", "-B", folder, silent=True)
    session.run("cmake", "--build", folder)
    session.run("ctest", "--test-dir", folder, "--output-on-failure", "--timeout", "300")


def install_package(session: nox.Session, extra: str) -> None:
    """Install the package with an extra: the wheel that FASTPOSE_WHEEL names, else built from here."""
    session.install(f"{os.environ.get('FASTPOSE_WHEEL', '.')}[{extra}]")


def built(session: nox.Session, extension: str) -> bool:
    """Whether the package that is installed has an optional extension."""
    code = f"import importlib.util as u; print(u.find_spec({extension!r}) is not None)"
    return "True" in str(session.run("python", "-c", code, silent=True))


@nox.session(venv_backend="none")
def system_packages(session: nox.Session) -> None:
    """Debian packages of optional drivers and their emulators: before the package is built; needs root."""
    if not can_install():
        session.skip("needs apt-get and root; drivers whose libraries are absent are not built")
    debian(*ARAVIS)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types and the direction of imports, in both languages."""
    install_package(session, "dev")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    extensions = (*EXTENSIONS, *(name for name in OPTIONAL_EXTENSIONS if built(session, name)))
    session.run("python", "-m", "mypy.stubtest", *STUBTEST_OPTIONS, *extensions)
    session.run("lint-imports")
    session.run("python", "tools/check_includes.py")
    sources = [path for folder in ("csrc", "src", "tests/cpp") for path in Path(folder).rglob("*.*")]
    sources = [path for path in sources if path.suffix in (".h", ".cpp")]
    session.run("clang-format", "--dry-run", "--Werror", *map(str, sources), silent=True)


@nox.session
def tests(session: nox.Session) -> None:
    """The package as users install it, and every test but the sanitizers."""
    session.install(*BUILD_TOOLS)
    install_package(session, "test")
    cpp_tests(session, "dev")
    rtsp_server()
    session.run("pytest", *session.posargs)


ENGINES = ("--precision", "fp16")
"""Every network that can be imported; other precisions: nox -s gpu_builds -- --precision fp32 bf16 int8."""


def build_engines(session: nox.Session, *options: str) -> None:
    """Engines for GPUs that are not here, by TensorRT-RTX."""
    session.run("pytest", "tests/python/test_cuda_builds.py", "tests/python/test_cuda_bindings.py")
    session.run("python", "-m", "tools.gpu_builds", *(options or ENGINES))


@nox.session
def imports(session: nox.Session) -> None:
    """Tests that need torch: imported networks against golden poses of their tools; engines for GPUs."""
    wheel = os.environ.get("FASTPOSE_WHEEL", ".")
    session.install(*TORCH, f"{wheel}[test,import,tensorrt-rtx]")
    session.run("pytest", *(f"tests/python/{name}" for name in TORCH_TESTS), *session.posargs)
    if not session.posargs:
        build_engines(session)


@nox.session
def gpu_builds(session: nox.Session) -> None:
    """Engines alone; posargs: those of tools.gpu_builds, such as --only NAME or --precision int8."""
    session.install(*TORCH, f"{os.environ.get('FASTPOSE_WHEEL', '.')}[test,import,tensorrt-rtx]")
    build_engines(session, *session.posargs)


@nox.session
@nox.parametrize("preset", ["asan", "tsan"])
def sanitize(session: nox.Session, preset: str) -> None:
    """C++ tests under address and undefined-behaviour, or thread sanitizer."""
    session.install(*BUILD_TOOLS)
    cpp_tests(session, preset)


@nox.session
def tidy(session: nox.Session) -> None:
    """clang-tidy over the engine."""
    session.install(*BUILD_TOOLS, "clang-tidy>=23,<24")
    session.run("cmake", "--preset", "tidy", silent=True)
    session.run("cmake", "--build", "build/tidy")


@nox.session
def soak(session: nox.Session) -> None:
    """Whole sessions with faults, then a million frames over which nothing may grow; posargs: the soak's."""
    install_package(session, "test")
    session.run("pytest", "tests/python/test_system_faults.py", "tests/python/test_system_faults_camera.py")
    session.run("python", "-m", "benches.soak", *session.posargs)


@nox.session
def benches(session: nox.Session) -> None:
    """Every benchmark; results as JSON under benches/results."""
    install_package(session, "test")
    session.run("python", "-m", "benches.micro")
    session.run("python", "-m", "benches.latency")
    session.run("python", "-m", "benches.animals")


ORACLES = {
    "dlc": ("deeplabcut==3.0.2", *TORCH),
    "dlclive": ("deeplabcut-live[pytorch]==1.1.0", *TORCH),
    "dlc2": ("tensorflow-cpu==2.21.0",),
    "sleap": ("sleap-nn[export]==0.3.5", *TORCH),
    "lp": (
        *TORCH,
        "lightning>=2.5,<2.6",
        "pytorch-lightning>=2.5,<2.6",
        "transformers>=4.57.5",
        *("aniposelib", "h5py", "hydra-core", "imaug", "jaxtyping", "kornia", "matplotlib", "moviepy>=2"),
        *("opencv-python-headless", "pandas>=2.2.2", "pillow", "safetensors", "scikit-learn>=1.5"),
        *("tensorboard<3", "onnx", "onnxruntime", "onnxscript"),
    ),
}
"""What each of the other tools needs, in an environment of its own; never a dependency of ours."""


def oracle(session: nox.Session, tool: str, script: str, *, output: str = "") -> None:
    """Install the tool, let it answer on seeded weights and fixed frames, then compare (`oracle_report`)."""
    session.install(*ORACLES[tool])
    folder = Path(session.create_tmp()).resolve() / f"oracle_{tool}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    session.run("python", f"tools/oracles/{script}", str(folder / output), *session.posargs)
    session.notify("oracle_report", posargs=[tool, str(folder)])


@nox.session
def oracle_dlc(session: nox.Session) -> None:
    """DeepLabCut 3's own poses of every architecture; posargs: --only NAME ..."""
    oracle(session, "dlc", "dlc.py")


@nox.session
def oracle_dlclive(session: nox.Session) -> None:
    """DeepLabCut-live's own poses, option by option."""
    oracle(session, "dlclive", "dlc_live.py", output="poses.npz")


@nox.session
def oracle_dlc2(session: nox.Session) -> None:
    """TensorFlow's own poses of frozen graphs as DeepLabCut 2 exports them."""
    oracle(session, "dlc2", "dlc2.py")


@nox.session
def oracle_sleap(session: nox.Session) -> None:
    """sleap-nn's own poses: single instance, top-down, bottom-up."""
    oracle(session, "sleap", "sleap.py")


@nox.session
def oracle_lp(session: nox.Session) -> None:
    """Lightning Pose's own poses; installed without DALI, which is for videos on GPUs."""
    session.install("--no-deps", "lightning-pose==2.4.3")
    oracle(session, "lp", "lp.py")


@nox.session
def oracle_report(session: nox.Session) -> None:
    """What an oracle made, against the committed golden files and against ours; posargs: TOOL FOLDER."""
    session.install(*TORCH, f"{os.environ.get('FASTPOSE_WHEEL', '.')}[test,import]")
    tool, folder = session.posargs
    made = sorted(path.stem for path in Path(folder).glob("*.npz"))
    if tool == "dlc":
        session.run("python", "-m", "tools.oracles.networks", "--fp32", "--only", *made)
    session.run("python", "-m", "tools.oracles.compare", tool, folder)
    tests = {"dlc": "test_golden_dlc.py", "dlclive": "test_dlclive_golden.py"}.get(tool)
    if tests is not None:
        chosen = ("-k", " or ".join(f"[{name}]" for name in made)) if tool == "dlc" else ()
        session.run("pytest", f"tests/python/{tests}", "--all-networks", "-q", *chosen)


@nox.session
def bench_dlclive(session: nox.Session) -> None:
    """DLCLive against the original; posargs: --original PYTHON of an environment with DeepLabCut-live."""
    install_package(session, "test,import")
    session.run("python", "-m", "benches.compare.deeplabcut_live", *session.posargs)


@nox.session
def bench_compare(session: nox.Session) -> None:
    """fastpose beside the other tools, whose environments it builds; posargs: those of `benches.compare`."""
    install_package(session, "dev,import")
    session.run("python", "-m", "benches.compare", *session.posargs)
    session.run("python", "-m", "benches.table")
