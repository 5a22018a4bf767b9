"""The operations of ONNX (opset 11 to 21) that pose networks are made of, in torch, by their definition.

Every function gets torch, the node's attributes, and its inputs; None for one that is left out. The order of
inputs and the meaning of attributes are those of the ONNX operator reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastpose.errors import ModelError

__all__ = ["OPERATIONS"]

Attributes = Mapping[str, Any]
Operation = Callable[..., Any]


def _conv(torch: Any, a: Attributes, x: Any, weight: Any, bias: Any = None) -> Any:
    rank = weight.ndim - 2
    strides, dilations = a.get("strides", [1] * rank), a.get("dilations", [1] * rank)
    pads = _pads(a, x, weight, strides, dilations)
    begin, end = pads[:rank], pads[rank:]
    if begin != end:
        x, begin = torch.nn.functional.pad(x, _torch_pads(begin, end)), [0] * rank
    return _of_rank(torch, "conv", rank)(x, weight, bias, strides, begin, dilations, a.get("group", 1))


def _pads(a: Attributes, x: Any, weight: Any, strides: list[int], dilations: list[int]) -> list[int]:
    """Begin of each axis, then end of each."""
    kernel = weight.shape[2:]
    mode = a.get("auto_pad", b"NOTSET")
    if mode in (b"NOTSET", b""):
        return list(a.get("pads", [0] * 2 * len(kernel)))
    if mode == b"VALID":
        return [0] * 2 * len(kernel)
    begin, end = [], []
    for size, width, stride, dilation in zip(x.shape[2:], kernel, strides, dilations, strict=True):
        whole = max((-(-size // stride) - 1) * stride + (width - 1) * dilation + 1 - size, 0)
        begin.append(whole // 2 if mode == b"SAME_UPPER" else whole - whole // 2)
        end.append(whole - begin[-1])
    return [*begin, *end]


def _torch_pads(begin: list[int], end: list[int]) -> list[int]:
    """Torch pads the last axis first."""
    pairs = zip(reversed(begin), reversed(end), strict=True)
    return [length for pair in pairs for length in pair]


def _of_rank(torch: Any, name: str, rank: int) -> Operation:
    operation: Operation = getattr(torch.nn.functional, f"{name}{rank}d")
    return operation


def _conv_transpose(torch: Any, a: Attributes, x: Any, weight: Any, bias: Any = None) -> Any:
    rank = weight.ndim - 2
    if a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"", b"VALID") or "output_shape" in a:
        raise ModelError("runtime torch: ConvTranspose with auto_pad or output_shape; allowed: pads")
    pads, more = a.get("pads", [0] * 2 * rank), list(a.get("output_padding", [0] * rank))
    begin, end = pads[:rank], pads[rank:]
    found = _of_rank(torch, "conv_transpose", rank)(
        x,
        weight,
        bias,
        a.get("strides", [1] * rank),
        0,
        more,
        a.get("group", 1),
        a.get("dilations", [1] * rank),
    )
    for axis in range(rank):
        length = found.shape[2 + axis] - begin[axis] - end[axis]
        found = found.narrow(2 + axis, begin[axis], length)
    return found


def _max_pool(torch: Any, a: Attributes, x: Any) -> Any:
    kernel = a["kernel_shape"]
    strides, dilations = a.get("strides", [1] * len(kernel)), a.get("dilations", [1] * len(kernel))
    pads = a.get("pads", [0] * 2 * len(kernel))
    begin, end = pads[: len(kernel)], pads[len(kernel) :]
    if any(pads):
        x = torch.nn.functional.pad(x, _torch_pads(begin, end), value=float("-inf"))
    pool = _of_rank(torch, "max_pool", len(kernel))
    return pool(x, kernel, strides, 0, dilations, bool(a.get("ceil_mode", 0)))


def _average_pool(torch: Any, a: Attributes, x: Any) -> Any:
    kernel = a["kernel_shape"]
    pads, counted = a.get("pads", [0] * 2 * len(kernel)), bool(a.get("count_include_pad", 0))
    if pads[: len(kernel)] != pads[len(kernel) :]:
        raise ModelError("runtime torch: AveragePool with unlike pads; allowed: the same on both sides")
    pool = _of_rank(torch, "avg_pool", len(kernel))
    strides = a.get("strides", [1] * len(kernel))
    return pool(x, kernel, strides, pads[: len(kernel)], bool(a.get("ceil_mode", 0)), counted)


def _resize(
    torch: Any, a: Attributes, x: Any, _roi: Any = None, scales: Any = None, sizes: Any = None
) -> Any:
    mode, place = a.get("mode", b"nearest"), a.get("coordinate_transformation_mode", b"half_pixel")
    if sizes is not None and len(sizes):
        size = [int(length) for length in sizes[2:]]
    else:
        size = [int(length * factor) for length, factor in zip(x.shape[2:], scales[2:].tolist(), strict=True)]
    if mode == b"nearest" and (place == b"asymmetric" or _is_multiple(size, x.shape[2:])):
        return torch.nn.functional.interpolate(x, size, mode="nearest")
    if mode == b"linear" and place in (b"half_pixel", b"pytorch_half_pixel", b"align_corners"):
        corners = place == b"align_corners"
        return torch.nn.functional.interpolate(x, size, mode="bilinear", align_corners=corners)
    if mode == b"cubic" and a.get("cubic_coeff_a", -0.75) == -0.75 and place != b"asymmetric":
        corners = place == b"align_corners"
        return torch.nn.functional.interpolate(x, size, mode="bicubic", align_corners=corners)
    raise ModelError(
        f"runtime torch: Resize {mode.decode()} with {place.decode()}; allowed: nearest by whole factors or "
        "asymmetric, linear and cubic with half_pixel or align_corners"
    )


def _is_multiple(size: list[int], before: Any) -> bool:
    return all(length % old == 0 for length, old in zip(size, before, strict=True))


def _batch_norm(torch: Any, a: Attributes, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
    return torch.nn.functional.batch_norm(x, mean, variance, scale, bias, eps=a.get("epsilon", 1e-5))


def _instance_norm(torch: Any, a: Attributes, x: Any, scale: Any, bias: Any) -> Any:
    return torch.nn.functional.instance_norm(x, weight=scale, bias=bias, eps=a.get("epsilon", 1e-5))


def _group_norm(torch: Any, a: Attributes, x: Any, scale: Any, bias: Any) -> Any:
    return torch.nn.functional.group_norm(x, a["num_groups"], scale, bias, a.get("epsilon", 1e-5))


def _layer_norm(torch: Any, a: Attributes, x: Any, scale: Any, bias: Any = None) -> Any:
    shape = x.shape[a.get("axis", -1) :]
    return torch.nn.functional.layer_norm(x, shape, scale, bias, a.get("epsilon", 1e-5))


def _gemm(torch: Any, a: Attributes, left: Any, right: Any, bias: Any = None) -> Any:
    left = left.T if a.get("transA", 0) else left
    right = right.T if a.get("transB", 0) else right
    product = a.get("alpha", 1.0) * (left @ right)
    return product if bias is None else product + a.get("beta", 1.0) * bias


def _clip(torch: Any, a: Attributes, x: Any, low: Any = None, high: Any = None) -> Any:
    least = a.get("min") if low is None else low.item()
    most = a.get("max") if high is None else high.item()
    return torch.clamp(x, least, most)


def _reduce(name: str) -> Operation:
    def reduce(torch: Any, a: Attributes, x: Any, axes: Any = None) -> Any:
        along = list(a.get("axes", ())) if axes is None else axes.tolist()
        if not along and not a.get("noop_with_empty_axes", 0):
            along = list(range(x.ndim))
        return getattr(torch, name)(x, dim=along, keepdim=bool(a.get("keepdims", 1))) if along else x

    return reduce


def _axes(a: Attributes, axes: Any) -> list[int]:
    return list(a["axes"]) if axes is None else [int(axis) for axis in axes]


def _squeeze(torch: Any, a: Attributes, x: Any, axes: Any = None) -> Any:
    if axes is None and "axes" not in a:
        return x.squeeze()
    for axis in sorted((axis % x.ndim for axis in _axes(a, axes)), reverse=True):
        x = x.squeeze(axis)
    return x


def _unsqueeze(torch: Any, a: Attributes, x: Any, axes: Any = None) -> Any:
    wanted = _axes(a, axes)
    for axis in sorted(axis % (x.ndim + len(wanted)) for axis in wanted):
        x = x.unsqueeze(axis)
    return x


def _reshape(torch: Any, a: Attributes, x: Any, shape: Any) -> Any:
    sizes = [int(size) for size in shape]
    if not a.get("allowzero", 0):
        sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return x.reshape(sizes)


def _slice(
    torch: Any, a: Attributes, x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None
) -> Any:
    begin, end = starts.tolist(), ends.tolist()
    along = list(range(len(begin))) if axes is None else axes.tolist()
    step = [1] * len(begin) if steps is None else steps.tolist()
    for axis, first, last, stride in zip(along, begin, end, step, strict=True):
        if stride < 0:
            raise ModelError("runtime torch: Slice backwards; allowed: steps of 1 and more")
        index = [slice(None)] * x.ndim
        index[axis % x.ndim] = slice(first, last, stride)
        x = x[tuple(index)]
    return x


def _split(torch: Any, a: Attributes, x: Any, lengths: Any = None) -> Any:
    axis = a.get("axis", 0)
    if lengths is not None or "split" in a:
        return torch.split(x, list(a["split"]) if lengths is None else lengths.tolist(), axis)
    return torch.tensor_split(x, a["num_outputs"], axis)


def _gather(torch: Any, a: Attributes, x: Any, indices: Any) -> Any:
    axis = a.get("axis", 0) % x.ndim
    flat = torch.where(indices < 0, indices + x.shape[axis], indices).reshape(-1).to(x.device)
    found = x.index_select(axis, flat)
    return found.reshape([*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]])


def _pad(torch: Any, a: Attributes, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    lengths = list(a["pads"]) if pads is None else pads.tolist()
    if axes is not None:
        lengths = _pads_of_axes(lengths, axes.tolist(), x.ndim)
    mode = {b"constant": "constant", b"reflect": "reflect", b"edge": "replicate"}[a.get("mode", b"constant")]
    both = _torch_pads(lengths[: x.ndim], lengths[x.ndim :])
    if mode == "constant":
        return torch.nn.functional.pad(x, both, value=0.0 if value is None else value.item())
    while both[-2:] == [0, 0] and len(both) > 4:
        both = both[:-2]
    return torch.nn.functional.pad(x, both, mode=mode)


def _pads_of_axes(lengths: list[int], axes: list[int], rank: int) -> list[int]:
    whole = [0] * 2 * rank
    for place, axis in enumerate(axes):
        whole[axis % rank], whole[rank + axis % rank] = lengths[place], lengths[len(axes) + place]
    return whole


def _cast(torch: Any, a: Attributes, x: Any) -> Any:
    types = {1: None, 10: None, 11: None, 16: None, 2: torch.uint8, 3: torch.int8, 6: torch.int32}
    types |= {7: torch.int64, 9: torch.bool}
    if a["to"] not in types:
        raise ModelError(f"runtime torch: Cast to ONNX type {a['to']}; allowed: floats, integers, bool")
    wanted = types[a["to"]]
    if wanted is not None:
        return x.to(wanted)
    return x if x.is_floating_point() else x.to(torch.float32)  # floats are of the module's type


def _constant(torch: Any, a: Attributes) -> Any:
    for name, dtype in (
        ("value_int", torch.int64),
        ("value_ints", torch.int64),
        ("value_float", torch.float32),
    ):
        if name in a:
            return torch.tensor(a[name], dtype=dtype)
    return torch.as_tensor(a["value"] if "value" in a else a["value_floats"])


def _constant_of_shape(torch: Any, a: Attributes, shape: Any) -> Any:
    value = torch.as_tensor(a["value"]).reshape(()) if "value" in a else torch.tensor(0.0)
    return value.expand(shape.tolist()).clone()


def _binary(name: str) -> Operation:
    def operate(torch: Any, _a: Attributes, left: Any, right: Any) -> Any:
        return getattr(torch, name)(left, right)

    return operate


def _divide(torch: Any, _a: Attributes, left: Any, right: Any) -> Any:
    whole = not (left.is_floating_point() or right.is_floating_point())
    return torch.div(left, right, rounding_mode="trunc" if whole else None)


def _unary(name: str) -> Operation:
    def operate(torch: Any, _a: Attributes, x: Any) -> Any:
        return getattr(torch, name)(x)

    return operate


def _functional(name: str) -> Operation:
    def operate(torch: Any, _a: Attributes, x: Any) -> Any:
        return getattr(torch.nn.functional, name)(x)

    return operate


def _softmax(torch: Any, a: Attributes, x: Any) -> Any:
    return torch.softmax(x, a.get("axis", -1))


def _top_k(torch: Any, a: Attributes, x: Any, count: Any) -> Any:
    return torch.topk(
        x, int(count.item()), a.get("axis", -1), bool(a.get("largest", 1)), bool(a.get("sorted", 1))
    )


def _arg_max(torch: Any, a: Attributes, x: Any) -> Any:
    return torch.argmax(x, a.get("axis", 0), bool(a.get("keepdims", 1)))


OPERATIONS: dict[str, Operation] = {
    "Abs": _unary("abs"),
    "Add": _binary("add"),
    "ArgMax": _arg_max,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": lambda torch, a, *parts: torch.cat(parts, a["axis"]),
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Div": _divide,
    "Dropout": lambda torch, a, x, *_: x,
    "Elu": lambda torch, a, x: torch.nn.functional.elu(x, a.get("alpha", 1.0)),
    "Equal": _binary("eq"),
    "Erf": _unary("erf"),
    "Exp": _unary("exp"),
    "Expand": lambda torch, a, x, shape: x * torch.ones(shape.tolist(), dtype=x.dtype, device=x.device),
    "Flatten": lambda torch, a, x: x.flatten(a.get("axis", 1)),
    "Floor": _unary("floor"),
    "Gather": _gather,
    "Gelu": lambda torch, a, x: torch.nn.functional.gelu(
        x, approximate=a.get("approximate", b"none").decode()
    ),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda torch, a, x: x.mean(tuple(range(2, x.ndim)), keepdim=True),
    "GlobalMaxPool": lambda torch, a, x: x.amax(tuple(range(2, x.ndim)), keepdim=True),
    "Greater": _binary("gt"),
    "GreaterOrEqual": _binary("ge"),
    "GroupNormalization": _group_norm,
    "HardSigmoid": lambda torch, a, x: torch.clamp(a.get("alpha", 0.2) * x + a.get("beta", 0.5), 0, 1),
    "HardSwish": _functional("hardswish"),
    "Identity": lambda torch, a, x: x,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": lambda torch, a, x: torch.nn.functional.leaky_relu(x, a.get("alpha", 0.01)),
    "Less": _binary("lt"),
    "Log": _unary("log"),
    "MatMul": _binary("matmul"),
    "Max": _binary("maximum"),
    "MaxPool": _max_pool,
    "Min": _binary("minimum"),
    "Mul": _binary("mul"),
    "Neg": _unary("neg"),
    "PRelu": lambda torch, a, x, slope: torch.where(x < 0, x * slope, x),
    "Pad": _pad,
    "Pow": _binary("pow"),
    "Range": lambda torch, a, start, end, step: torch.arange(start.item(), end.item(), step.item()),
    "Reciprocal": _unary("reciprocal"),
    "ReduceMax": _reduce("amax"),
    "ReduceMean": _reduce("mean"),
    "ReduceSum": _reduce("sum"),
    "Relu": _unary("relu"),
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": lambda torch, a, x: torch.tensor(x.shape[a.get("start", 0) : a.get("end")], dtype=torch.int64),
    "Sigmoid": _unary("sigmoid"),
    "Slice": _slice,
    "Softmax": _softmax,
    "Softplus": _functional("softplus"),
    "Split": _split,
    "Sqrt": _unary("sqrt"),
    "Squeeze": _squeeze,
    "Sub": _binary("sub"),
    "Tanh": _unary("tanh"),
    "Tile": lambda torch, a, x, times: x.repeat(times.tolist()),
    "TopK": _top_k,
    "Transpose": lambda torch, a, x: x.permute(a.get("perm", list(range(x.ndim))[::-1])),
    "Unsqueeze": _unsqueeze,
    "Where": lambda torch, a, condition, left, right: torch.where(condition, left, right),
}
