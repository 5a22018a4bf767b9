"""What this CPU could do at best: its measured peak by precision, hence the least time for a network.

Two measurements. *Registers*: `peak.cpp`, multiply-adds that never touch memory; nothing runs faster. *Matrix
product*: 2048 x 2048 in OpenVINO; what a well-written library reaches with data from the caches.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["least_ms", "measured_peaks", "with_limits"]

SOURCE = Path(__file__).with_name("peak.cpp")
COMPILERS = ("c++", "g++", "clang++")
SIDE = 2048
TYPES = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""Precision of the products: inference precision of OpenVINO (int8 is in the graph)."""


def measured_peaks(threads: int) -> dict[str, Any]:
    """Giga-operations a second (a multiply-add is two) by precision, on some threads.

    Returns
    -------
    dict
        ``registers`` and ``matrix_product``, each by precision; ``best``: the higher of both; reasons where
        something is missing.
    """
    registers, why = _registers(threads)
    product = {precision: _product(precision, threads) for precision in TYPES}
    found: dict[str, Any] = {
        "threads": threads,
        "registers": registers,
        "matrix_product": {key: value for key, value in product.items() if isinstance(value, float)},
        "reasons": {key: value for key, value in product.items() if isinstance(value, str)} | why,
    }
    found["best"] = _best(found)
    return found


def _best(found: dict[str, Any]) -> dict[str, float]:
    """The higher of both measurements, by precision."""
    registers = {key: entry["gops"] for key, entry in found["registers"].items()}
    names = registers.keys() | found["matrix_product"].keys()
    return {key: max(registers.get(key, 0), found["matrix_product"].get(key, 0)) for key in sorted(names)}


def _registers(threads: int) -> tuple[dict[str, Any], dict[str, str]]:
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        return {}, {"registers": f"no compiler; one of {', '.join(COMPILERS)} is needed"}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        command = [compiler, "-O2", "-std=c++20", "-pthread", str(SOURCE), "-o", str(program)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            return {}, {"registers": f"{compiler} cannot build {SOURCE.name}: {built.stderr.splitlines()[0]}"}
        told = subprocess.run([str(program), str(threads)], capture_output=True, text=True, check=True)
    return _parsed(told.stdout), {}


def _parsed(text: str) -> dict[str, Any]:
    """Lines of peak.cpp; of each type the fastest set of instructions."""
    found: dict[str, Any] = {}
    for line in text.splitlines():
        instructions, precision, gops = line.split()
        if float(gops) > found.get(precision, {"gops": 0.0})["gops"]:
            found[precision] = {"gops": float(gops), "instructions": instructions}
    return found


def _product(precision: str, threads: int) -> float | str:
    """Giga-operations a second of OpenVINO's matrix product, or why there is no number."""
    import openvino

    core = openvino.Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "this CPU has no bf16"
    options = {"INFERENCE_PRECISION_HINT": TYPES[precision], "INFERENCE_NUM_THREADS": threads}
    request = core.compile_model(_graph(precision), "CPU", options).create_infer_request()
    return round(2.0 * SIDE**3 / _fastest_s(request) / 1e9, 1)


def _fastest_s(request: Any, tries: int = 25) -> float:
    import time

    best = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        request.infer()
        best = min(best, time.perf_counter() - start)
    return best


def _graph(precision: str) -> Any:
    """``x @ w.T``; int8: both quantised, as post-training quantisation writes it."""
    import numpy as np
    import openvino
    from openvino import opset13 as ops

    x = ops.parameter([SIDE, SIDE], np.float32, name="x")
    random = np.random.default_rng(0)
    if precision == "int8":
        weights = ops.constant(random.integers(-127, 128, (SIDE, SIDE), dtype=np.int8))
        scaled = ops.multiply(ops.convert(weights, "f32"), ops.constant(np.float32(0.01)))
        low, high = ops.constant(np.float32(-1.28)), ops.constant(np.float32(1.27))
        left = ops.fake_quantize(x, low, high, low, high, 256)
        product = ops.matmul(left, scaled, False, True)
    else:
        product = ops.matmul(x, ops.constant(random.standard_normal((SIDE, SIDE), np.float32)), False, True)
    return openvino.Model([ops.relu(product)], [x], "product")


def least_ms(macs: int, gops: float) -> float:
    """Time that the multiply-adds of a network take at a peak, ms."""
    return 2 * macs / (gops * 1e9) * 1e3


def with_limits(result: dict[str, Any], macs: dict[str, int], peaks: dict[str, float]) -> dict[str, Any]:
    """A case's result with operations, least times, and the fraction that each network alone reaches.

    Parameters
    ----------
    result : dict
        Of `benches.compare.rounds.run_case`.
    macs : dict
        Multiply-adds of the network for the whole ``frame``, and for the ``roi`` where fastpose tracks one.
    peaks : dict
        Giga-operations a second by precision.
    """
    for name, numbers in result["systems"].items():
        precision = numbers.get("about", {}).get("precision")
        seen = "roi" if "roi" in macs and name.startswith("fastpose") else "frame"
        if "network" in numbers and precision in peaks:
            reached = least_ms(macs[seen], peaks[precision]) / numbers["network"]["p50_ms"]
            numbers["network"] |= {"of_limit": float(f"{reached:.3g}"), "limit": precision}
    return (
        result
        | {"gmac": {seen: round(count / 1e9, 3) for seen, count in macs.items()}}
        | {"least_ms": {seen: _floor(count, peaks) for seen, count in macs.items()}}
    )


def _floor(macs: int, peaks: dict[str, float]) -> dict[str, float]:
    return {precision: float(f"{least_ms(macs, gops):.4g}") for precision, gops in peaks.items()}


if __name__ == "__main__":
    import json

    json.dump(measured_peaks(int(sys.argv[1])), sys.stdout, indent=1)
