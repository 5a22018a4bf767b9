"""The whole config: one experiment."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.cameras import Camera
from fastpose.config.cross import check_references
from fastpose.config.filter import Filter, NoFilter
from fastpose.config.model import Model
from fastpose.config.output import Output
from fastpose.config.protocol import ConditionalProtocol, NoProtocol, PythonProtocol
from fastpose.config.protocols import Protocol
from fastpose.config.record import Record
from fastpose.config.rule import Rule
from fastpose.config.session import Engine, Session
from fastpose.config.synchronise import Synchronise
from fastpose.config.types import Name, Section
from fastpose.config.zone import Zone


class Config(Section):
    """One experiment, checked; every name it uses is there."""

    session: Session
    cameras: Annotated[dict[Name, Camera], Field(min_length=1)]
    synchronise: Synchronise | None = None
    """Cameras that are exposed together; null: each runs by itself."""
    model: Model | None = None
    """The network, where there is one."""
    models: dict[Name, Model] = Field(default_factory=dict)
    """Networks by name, where there are several."""
    filter: Filter = NoFilter()
    zones: dict[Name, Zone] = Field(default_factory=dict)
    rules: dict[Name, Rule] = Field(default_factory=dict)
    outputs: dict[Name, Output] = Field(default_factory=dict)
    protocol: Protocol = NoProtocol()
    record: Record = Record()
    engine: Engine = Engine()

    @property
    def networks(self) -> dict[str, Model]:
        """The networks by name; that of `model:` is called model."""
        return dict(self.models) if self.model is None else {"model": self.model}

    @property
    def analysed(self) -> dict[str, Model]:
        """The cameras that a network sees, in their order, each with its network."""
        seen = {camera: model for model in self.networks.values() for camera in model.seen}
        return {camera: seen[camera] for camera in self.cameras if camera in seen}

    @property
    def synchronised(self) -> tuple[str, ...]:
        """The cameras that are exposed together, in their order; empty where none are."""
        if self.synchronise is None:
            return ()
        named = self.synchronise.cameras or tuple(self.cameras)
        return tuple(camera for camera in self.cameras if camera in named)

    @property
    def acting_camera(self) -> str | None:
        """The camera that the protocol belongs to, else the first that a network sees; None: no network."""
        protocol, first = self.protocol, next(iter(self.analysed), None)
        if isinstance(protocol, ConditionalProtocol):
            rule = self.rules.get(protocol.when)
            return (rule.camera if rule else None) or first
        return getattr(protocol, "camera", None) or first

    @property
    def seen_by_protocol(self) -> tuple[str, ...]:
        """The cameras whose rules the protocol gets, in the engine's order; see Note [One protocol] there."""
        acting = self.acting_camera
        if acting is None:
            return ()
        one = isinstance(self.protocol, NoProtocol | ConditionalProtocol | PythonProtocol)
        together = tuple(camera for camera in self.synchronised if camera in self.analysed)
        return together if not one and acting in together else (acting,)

    def rules_of(self, camera: str) -> dict[str, Rule]:
        """The rules that look at this camera, in their order."""
        return {name: rule for name, rule in self.rules.items() if self.camera_of(rule) == camera}

    def camera_of(self, rule: Rule) -> str | None:
        """The camera that a rule looks at; None: there is none, or no only one."""
        return rule.camera or (next(iter(self.analysed)) if len(self.analysed) == 1 else None)

    def network_of(self, camera: str) -> Model | None:
        """Return the network that sees this camera; None: the camera is recorded only."""
        return self.analysed.get(camera)

    @model_validator(mode="before")
    @classmethod
    def _only_camera_is_the_default(cls, data: Any) -> Any:
        cameras = data.get("cameras") if isinstance(data, dict) else None
        if not isinstance(cameras, dict) or len(cameras) != 1:
            return data
        (camera,) = cameras
        filled = dict(data)
        if "model" in data:
            filled["model"] = _with_camera(data["model"], camera)
        if isinstance(data.get("models"), dict):
            filled["models"] = {name: _with_camera(model, camera) for name, model in data["models"].items()}
        return filled

    @model_validator(mode="after")
    def _names_are_there(self) -> Self:
        check_references(self)
        return self


def _with_camera(model: Any, camera: Any) -> Any:
    if isinstance(model, dict) and not model.get("camera") and not model.get("cameras"):
        return {**model, "camera": camera}
    return model
