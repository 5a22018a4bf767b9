"""The engine's own operation for group normalisation, as graphs that are made here hold it."""

from __future__ import annotations

from typing import Any

import openvino

__all__ = ["GroupNorm"]


class GroupNorm(openvino.Op):  # type: ignore[misc]
    """Group normalisation over (N, H, W, C), with ReLU and rounding to bytes.

    This twin of the engine's operation (csrc/infer/group_norm_openvino.h) serves to write a graph; it
    computes nothing.

    Parameters
    ----------
    inputs : list of openvino.Output
        Maps (N, H, W, C) float32, gamma (C), beta (C), and a residual of the maps' shape or nothing.
    groups : int
    eps : float
    relu : bool
    step : float
        What one count of the output means: u8 with `relu`, else i8; 0: the output is float32.
    residual_scale : float
        What one count of the residual means.
    """

    class_type_info = openvino.DiscreteTypeInfo("GroupNorm", "fastpose")

    def __init__(
        self, inputs: list[Any], *, groups: int, eps: float, relu: bool, step: float, residual_scale: float
    ) -> None:
        super().__init__(self)
        self._attributes = {
            "groups": groups,
            "eps": eps,
            "relu": relu,
            "step": step,
            "residual_scale": residual_scale,
        }
        self.set_arguments(inputs)
        self.constructor_validate_and_infer_types()

    @staticmethod
    def get_type_info() -> Any:
        """Name and version, under which the engine registers its own."""
        return GroupNorm.class_type_info

    def validate_and_infer_types(self) -> None:
        """Type and shape of the output."""
        whole = openvino.Type.u8 if self._attributes["relu"] else openvino.Type.i8
        kind = whole if self._attributes["step"] else openvino.Type.f32
        self.set_output_type(0, kind, self.get_input_partial_shape(0))

    def visit_attributes(self, visitor: Any) -> bool:
        """What is written into the graph's file."""
        visitor.on_attributes(self._attributes)
        return True

    def clone_with_new_inputs(self, new_inputs: Any) -> GroupNorm:
        """A copy of this operation."""
        return GroupNorm(list(new_inputs), **self._attributes)  # type: ignore[arg-type]
