# Types of the extension fastpose._openvino (src/bind_openvino.cpp): networks on the CPU.
from collections.abc import Sequence
from typing import Literal

from fastpose._core import Backend

def version() -> str: ...
def load(
    path: str,
    *,
    input_shape: Sequence[int],
    outputs: Sequence[str],
    precision: Literal["auto", "fp32", "bf16", "int8"] = "auto",
    threads: int = 0,
    pinned: bool | None = None,
    cache_folder: str = "",
    emulated: bool = False,
) -> Backend: ...
