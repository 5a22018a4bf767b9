"""Int8 by post-training quantisation (NNCF): which layers, and what is left alone."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from fastpose.optimizing.extra import require_nncf
from fastpose.optimizing.graph import consumers, kind
from fastpose.optimizing.group_norm import group_norms

__all__ = ["RANGES", "Ranges", "quantised"]

Tensor = npt.NDArray[np.float32]
Ranges = Literal["typical", "whole"]
RANGES: tuple[Ranges, ...] = get_args(Ranges)


def quantised(
    model: Any, tensors: Sequence[Tensor], *, but: Collection[str] = (), ranges: Ranges = "typical"
) -> Any:
    """A copy of a graph with int8 convolutions.

    Parameters
    ----------
    model : openvino.Model
        float32.
    tensors : sequence of ndarray
        (1, C, H, W) float32; ranges of values are measured on them.
    but : collection of str
        Names of layers that stay in float32.
    ranges : {"typical", "whole"}
        What 256 steps have to span. typical: the mean over the tensors of the largest value, the same on both
        sides of zero. whole: from the smallest to the largest value of all, where rare peaks are what counts.

    Notes
    -----
    Group normalisations, and the additions after them, stay in float32 here: quantising their insides would
    cost accuracy and time. `fuse_group_norms` rounds what leaves them.
    """
    nncf = require_nncf()
    alone = [*but, *_around_group_norms(model)]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return nncf.quantize(
            model,
            nncf.Dataset(list(tensors)),
            subset_size=len(tensors),
            ignored_scope=nncf.IgnoredScope(names=alone, validate=False) if alone else None,
            **(_whole_ranges() if ranges == "whole" else {}),
        )


def _whole_ranges() -> dict[str, Any]:
    from nncf import QuantizationPreset
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    whole = AdvancedQuantizationParameters(
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
    )
    return {"preset": QuantizationPreset.MIXED, "advanced_parameters": whole}


def _around_group_norms(model: Any) -> list[str]:
    names = []
    for site in group_norms(model):
        names += [node.get_friendly_name() for node in site.nodes]
        names += [n.get_friendly_name() for n in consumers(site.result) if kind(n) == "Add"]
    return names
