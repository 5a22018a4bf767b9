"""A backbone with its heads: loads DeepLabCut's weights, runs, decodes, and exports itself as ONNX."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fastpose.errors import ModelError
from fastpose.importing.dlc3_config import Dlc3Config
from fastpose.importing.networks.table import BACKBONES, HEADS, SUPPORTED

__all__ = ["PoseNetwork", "build_pose_network", "load_weights"]

OPSET = 17
UNIQUE = "unique_"  # before the names of the second head's outputs
SINGLE = "single"  # DeepLabCut's individual that has the unique body parts
SIZE = (96, 64)  # width and height of the frame that is traced, px; the graph takes others too


class PoseNetwork(nn.Module):
    """``backbone.*`` and ``heads.<name>.*``.

    A second head, of unique body parts, adds its channels to the maps of the first where both are decoded
    alike; beside part affinity fields its maps are outputs of their own.

    Attributes
    ----------
    fields : dict
        What model.yaml says of the outputs.
    architecture : str
        In words.
    """

    def __init__(self, config: Dlc3Config, backbone: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.backbone, self.heads = backbone, nn.ModuleDict(heads)
        self.flips = config.colormode == "BGR"
        self.crop_size = config.crop_size
        self.fields: dict[str, Any] = self.heads["bodypart"].fields(backbone.stride, config.raw)
        if "unique_bodypart" in heads and self.fields["decoder"] == "paf":
            beside = self.heads["unique_bodypart"].fields(backbone.stride, config.raw)
            self.fields["unique"] = {
                "bodyparts": list(config.unique_bodyparts),
                **{key: beside[key] for key in ("stride", "locref_stdev", "activation")},
            }
            self.fields["outputs"] += [f"{UNIQUE}{name}" for name in beside["outputs"]]
        self.architecture = _architecture(config)

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """(n, 3, H, W) RGB, normalised, to the tuple of outputs."""
        features = self.backbone(frame.flip(1) if self.flips else frame)
        outputs = [head(features) for head in self.heads.values()]
        if len(outputs) == 1:
            return outputs[0]
        if "unique" in self.fields:
            return (*outputs[0], *outputs[1])
        return tuple(torch.cat(maps, 1) for maps in zip(*outputs, strict=True))

    def individuals(self, config: Dlc3Config) -> list[str]:
        """Names of the rows of a pose; empty where one animal is found."""
        if "unique" in self.fields:
            return [*config.individuals, SINGLE]
        several = self.fields["decoder"] == "paf" or (config.method == "td" and len(config.individuals) > 1)
        return list(config.individuals) if several else []

    def maps(self, tensor: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]]:
        """Run it in fp32: outputs by their names."""
        with torch.inference_mode():
            outputs = self(torch.from_numpy(tensor))
        return {name: maps.numpy() for name, maps in zip(self.fields["outputs"], outputs, strict=True)}

    def decode(self, maps: dict[str, npt.NDArray[np.float32]]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Poses (n, individuals, K, 3) in input px and ties (n, individuals, K)."""
        if "unique" not in self.fields:
            poses, ties = self.heads["bodypart"].decode(maps, self.fields)
            return poses, ties
        beside = {name.removeprefix(UNIQUE): maps[name] for name in maps if name.startswith(UNIQUE)}
        common = {name: maps[name] for name in maps if not name.startswith(UNIQUE)}
        animals = self.heads["bodypart"].decode(common, self.fields)
        single = self.heads["unique_bodypart"].decode(beside, self.fields["unique"])
        return _block(animals[0], single[0], np.nan), _block(animals[1], single[1], False)

    def export(self, path: Path) -> None:
        """Write it as ONNX: one frame of free height and width, or any number of crops.

        Torch's older exporter folds normalisation into the convolutions in a quarter of the newer one's
        time (ResNet-50: 10 s against 42 s); their numbers are the same.
        """
        names: list[str] = self.fields["outputs"]
        width, height = self.crop_size or SIZE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                self,
                (torch.zeros(1, 3, height, width),),
                str(path),
                dynamo=False,
                opset_version=OPSET,
                input_names=["frame"],
                output_names=names,
                dynamic_axes={name: self._free_axes(name) for name in ("frame", *names)},
            )

    def _free_axes(self, name: str) -> dict[int, str]:
        return {0: "animals"} if self.crop_size else {2: f"{name}_height", 3: f"{name}_width"}


def _block(animals: npt.NDArray[Any], single: npt.NDArray[Any], nothing: Any) -> npt.NDArray[Any]:
    """Arrays (n, individuals, K, ...): rows and columns of `single` behind those of `animals`."""
    (count, rows, columns), (_, more_rows, more_columns) = animals.shape[:3], single.shape[:3]
    shape = (count, rows + more_rows, columns + more_columns, *animals.shape[3:])
    block = np.full(shape, nothing, animals.dtype)
    block[:, :rows, :columns], block[:, rows:, columns:] = animals, single
    return block


def build_pose_network(config: Dlc3Config, state: Mapping[str, Any], where: str) -> PoseNetwork:
    """Build the network of a config with its weights.

    Raises
    ------
    ModelError
        The architecture is not supported, or the weights do not fit it.
    """
    heads = _heads(config, where)
    if "RTMCCHead" in _kinds(config) and config.method != "td":
        raise _unsupported(config, where, f"head RTMCCHead with method {config.method}")
    network = PoseNetwork(config, _backbone(config, where), heads).eval()
    _check_counts(config, heads, where)
    load_weights(network, state, where)
    return network


def _backbone(config: Dlc3Config, where: str) -> nn.Module:
    section = config.model.get("backbone")
    if not isinstance(section, Mapping):
        raise ModelError(f"{where}: model.backbone is missing")
    kind = section.get("type")
    if kind not in BACKBONES or config.model.get("neck"):
        raise _unsupported(config, where, f"backbone {kind}" if kind not in BACKBONES else "a neck")
    try:
        return BACKBONES[kind](section)
    except ModelError as error:
        raise _unsupported(config, where, str(error)) from None


def _heads(config: Dlc3Config, where: str) -> dict[str, nn.Module]:
    sections = config.model.get("heads")
    if not isinstance(sections, Mapping) or "bodypart" not in sections:
        raise ModelError(f"{where}: model.heads.bodypart is missing")
    heads: dict[str, nn.Module] = {}
    for name in ("bodypart", "unique_bodypart"):
        section = sections.get(name)
        if section is None:
            continue
        kind = section.get("type") if isinstance(section, Mapping) else None
        if kind not in HEADS:
            raise _unsupported(config, where, f"head {kind}")
        heads[name] = _head(kind, section, where)
    strangers = [name for name in sections if name not in heads]
    if strangers:
        raise _unsupported(config, where, f"head {strangers[0]!r}")
    _require_heads_that_go_together(config, heads, where)
    return heads


def _head(kind: str, section: Mapping[str, Any], where: str) -> nn.Module:
    try:
        return HEADS[kind](section)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def _require_heads_that_go_together(config: Dlc3Config, heads: Mapping[str, nn.Module], where: str) -> None:
    """Unique body parts have heatmaps, beside part affinity fields or heads that are decoded alike."""
    first, *others = (head.fields(1.0, config.raw) for head in heads.values())
    for fields in others:
        if fields["decoder"] == "heatmap" and (first["decoder"] == "paf" or first == fields):
            continue
        raise _unsupported(config, where, "unique body parts beside a head of another kind")


def _check_counts(config: Dlc3Config, heads: Mapping[str, nn.Module], where: str) -> None:
    expected = {"bodypart": config.bodyparts, "unique_bodypart": config.unique_bodyparts}
    for name, head in heads.items():
        if head.bodyparts != len(expected[name]):
            raise ModelError(
                f"{where}: head {name} has {head.bodyparts} channels, metadata names {len(expected[name])} "
                f"body parts ({', '.join(expected[name])}); config and network do not belong together"
            )
    if config.unique_bodyparts and "unique_bodypart" not in heads:
        raise ModelError(
            f"{where}: metadata.unique_bodyparts names {len(config.unique_bodyparts)} body parts, "
            "but there is no head unique_bodypart"
        )


def load_weights(network: nn.Module, state: Mapping[str, Any], where: str) -> None:
    """Load every weight by its name and shape, no more and no less.

    Raises
    ------
    ModelError
        A weight is missing, unknown or of another shape.
    """
    problem = _misfit(network.state_dict(), state)
    if problem:
        raise ModelError(f"{where}: {problem}; config and weights do not belong together")
    network.load_state_dict(state, strict=True)


def _misfit(wanted: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """What does not fit; empty where all does."""
    missing = [key for key in wanted if not isinstance(state.get(key), Tensor)]
    if missing:
        return f"{len(missing)} weights are missing, the first {missing[0]}"
    unknown = [key for key in state if key not in wanted]
    if unknown:
        return f"{len(unknown)} weights are not in the network of the config, the first {unknown[0]}"
    for key, value in wanted.items():
        if state[key].shape != value.shape:
            found, needed = list(state[key].shape), list(value.shape)
            return f"weight {key} has shape {found}, the config needs {needed}"
    return ""


def _architecture(config: Dlc3Config) -> str:
    backbone = config.model["backbone"]
    stride = f" (output stride {backbone['output_stride']})" if "output_stride" in backbone else ""
    return f"{backbone.get('model_name') or backbone.get('type')}{stride}, {' and '.join(_kinds(config))}"


def _kinds(config: Dlc3Config) -> list[str]:
    return list(dict.fromkeys(str(head.get("type")) for head in config.model["heads"].values()))


def _unsupported(config: Dlc3Config, where: str, what: str) -> ModelError:
    supported = ", ".join(SUPPORTED)
    return ModelError(
        f"{where}: net_type {config.net_type!r} cannot be imported ({what}); supported: {supported}"
    )
