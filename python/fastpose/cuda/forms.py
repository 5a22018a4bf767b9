"""Which file of a package runs on a GPU: its own network, or one that ``fastpose optimize`` made.

Note [forms for GPUs]: A runtime on a GPU computes with the types of the graph. So each precision but fp32 is
an ONNX file of its own in optimized.json: ``gpu_fp16`` and ``gpu_bf16`` (weights and features in that type,
input and outputs in float32) and ``gpu_int8`` (QuantizeLinear and DequantizeLinear around its convolutions,
the rest in fp16). The forms of the CPU are OpenVINO's, with operations of ours: no other runtime reads them.
"""

from __future__ import annotations

from fastpose.errors import DeviceError, ModelError
from fastpose.form_files import OPTIMIZE, OPTIMIZED, OptimizedForm, read_optimized
from fastpose.model_forms import Form, verify_files
from fastpose.model_package import ModelPackage

__all__ = ["FORMS", "PRECISIONS", "gpu_form_of", "gpu_hint", "require_gpu_budget"]

FORMS = {"fp16": "gpu_fp16", "bf16": "gpu_bf16", "int8": "gpu_int8"}
PRECISIONS = ("auto", "fp32", *FORMS)


def gpu_form_of(package: ModelPackage, precision: str) -> Form:
    """What runs on a GPU where this precision is asked for.

    Parameters
    ----------
    package : ModelPackage
    precision : str
        "fp32", "fp16", "bf16", "int8"; or "auto": fp16 where the package has it within its budget, else fp32.

    Raises
    ------
    DeviceError
        There is no such precision.
    ModelError
        The package has no such form, or it is damaged, or of another network.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"model.precision is {precision!r}; allowed on cuda: {', '.join(PRECISIONS)}")
    if package.network.suffix != ".onnx":
        raise ModelError(
            f"model package '{package.folder}': {package.network_file} is OpenVINO's; device cuda needs "
            "model.onnx: import the model again from its source, or use device cpu"
        )
    made = read_optimized(package.folder)
    if precision == "auto":
        half = made.get(FORMS["fp16"])
        precision = "fp16" if half is not None and not half.over_budget else "fp32"
    if precision == "fp32":
        digest = package.sha256.get(package.network_file, "").lower()
        return Form("onnx", "fp32", "fp32", package.network, digest)
    form = _made(package, precision, made.get(FORMS[precision]))
    verify_files(package, form)
    return form


def require_gpu_budget(package: ModelPackage, precision: str) -> None:
    """Raise ModelError for a form that is over its budget; raises as `gpu_form_of` does."""
    form = gpu_form_of(package, precision)
    if form.over_budget:
        raise ModelError(
            f"model package '{package.folder}': form {form.name} in {OPTIMIZED} is not to be used "
            f"({form.over_budget}); make it again with: {_way(package, precision)}, or run at fp32, "
            "or say accept_parity: true to use it as it is"
        )


def gpu_hint(package: ModelPackage) -> str:
    """How a package would run faster; empty where nothing is known."""
    if FORMS["fp16"] in read_optimized(package.folder):
        return ""
    return f"runs in fp32 on the GPU: {_way(package, 'fp16')} makes it about twice as fast"


def _made(package: ModelPackage, precision: str, found: OptimizedForm | None) -> Form:
    way_out = f"make it with: {_way(package, precision)}"
    if found is None:
        raise ModelError(
            f"model.precision is {precision}; model package '{package.folder}' has no {precision} form for "
            f"GPUs; {way_out}"
        )
    source = package.sha256.get(package.network_file, "").lower()
    if found.source_sha256.lower() != source:
        raise ModelError(
            f"model package '{package.folder}': form {FORMS[precision]} in {OPTIMIZED} was made from another "
            f"{package.network_file}; {way_out}"
        )
    digest = found.sha256.get(found.file, "").lower()
    return Form(FORMS[precision], precision, precision, package.folder / found.file, digest, found)


def _way(package: ModelPackage, precision: str) -> str:
    return f"{OPTIMIZE} {package.folder} --device cuda --precision {precision}"
