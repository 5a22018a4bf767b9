"""What DeepLabCut's decoder with part affinity fields computes, in plain NumPy: the oracle of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["decode_paf"]


def decode_paf(
    maps: Mapping[str, npt.NDArray[Any]], fields: Mapping[str, Any], *, individuals: int
) -> npt.NDArray[np.float32]:
    raise NotImplementedError
