"""Writes which names the Python bindings of TensorRT have, without its libraries.

    python -m tools.record_nvinfer_api WHEEL ... -o tests/python/golden/nvinfer_api.json

WHEEL: tensorrt_cu13_bindings-*.whl (pip download --no-deps), for this Python. Libraries whose functions do
nothing stand in for libnvinfer and its parser: enough to import the bindings and look at them. TensorRT-RTX
is recorded too where it is installed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

CLASSES = (
    *("Builder", "BuilderFlag", "ICudaEngine", "IBuilderConfig", "IExecutionContext", "IHostMemory"),
    *("ILogger", "INetworkDefinition", "IProgressMonitor", "IRuntimeCache", "IRuntimeConfig", "ITensor"),
    *("MemoryPoolType", "NetworkDefinitionCreationFlag", "OnnxParser", "ParserError", "Runtime"),
    *("TensorIOMode", "DataType", "ComputeCapability"),
)
LIBRARIES = ("libnvinfer", "libnvinfer_plugin", "libnvonnxparser")
LOOK = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
public = lambda thing: sorted(name for name in dir(thing) if not name.startswith("_"))
names = {name: public(getattr(module, name)) for name in sys.argv[2:] if hasattr(module, name)}
print(json.dumps({"version": module.__version__, "module": public(module), "classes": names}))
"""


def main() -> None:
    """Record every wheel, and what is installed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    chosen = parser.parse_args()
    found = dict(map(of_wheel, chosen.wheels))
    try:
        found["tensorrt-rtx"] = look("tensorrt_rtx", {})
    except subprocess.CalledProcessError:
        print("tensorrt_rtx is not installed: not recorded")
    chosen.output.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def of_wheel(wheel: Path) -> tuple[str, dict[str, object]]:
    """Name of the table, and the table."""
    version = wheel.name.split("-")[1]
    major = version.partition(".")[0]
    with TemporaryDirectory() as name:
        folder = Path(name)
        ZipFile(wheel).extractall(folder)
        module = next(path for path in folder.glob("tensorrt*bindings") if path.is_dir())
        source = folder / "stubs.c"
        source.write_text(stubs_of(module / "tensorrt.so"), encoding="utf-8")
        for library in LIBRARIES:
            target = f"{library}.so.{major}"
            flags = ("-shared", "-fPIC", f"-Wl,-soname,{target}", "-o", str(folder / target))
            subprocess.run(["cc", str(source), *flags], check=True)
        return f"tensorrt {version}", look(module.name, {"PYTHONPATH": name, "LD_LIBRARY_PATH": name})


def stubs_of(extension: Path) -> str:
    """C for every function that an extension expects of TensorRT."""
    command = ["nm", "-D", "--undefined-only", str(extension)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = [line.split()[-1] for line in lines if line.split()[0] == "U"]
    ours = [name for name in names if "@" not in name and not name.startswith(("Py", "_Py"))]
    return "".join(
        f'void *stub_{index}(void) __asm__("{name}");\nvoid *stub_{index}(void) {{ return 0; }}\n'
        for index, name in enumerate(ours)
    )


def look(module: str, environment: dict[str, str]) -> dict[str, object]:
    """The table of a module, asked in a process of its own."""
    import os

    command = [sys.executable, "-c", LOOK, module, *CLASSES]
    done = subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)
    table: dict[str, object] = json.loads(done.stdout)
    return table


if __name__ == "__main__":
    main()
