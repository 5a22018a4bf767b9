"""All outputs that a config may name: ours by their drivers, those of plug-ins by entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SerializeAsAny, TypeAdapter, ValidationError, ValidationInfo, WrapValidator
from pydantic.functional_validators import ModelWrapValidatorHandler

from fastpose.config.beside import (
    HttpOutput,
    LslOutput,
    NidaqOutput,
    OpenEphysOutput,
    OscOutput,
    PlugInOutput,
    ScreenOutput,
    UdpOutput,
    ZmqOutput,
)
from fastpose.config.output import (
    FirmwareOutput,
    GpioOutput,
    PylonOutput,
    SerialOutput,
    SimOutput,
    TeensyLaserOutput,
)
from fastpose.config.plug_ins import plug_in

Ours = (
    SimOutput
    | SerialOutput
    | FirmwareOutput
    | TeensyLaserOutput
    | GpioOutput
    | PylonOutput
    | NidaqOutput
    | LslOutput
    | ZmqOutput
    | OscOutput
    | UdpOutput
    | OpenEphysOutput
    | HttpOutput
    | ScreenOutput
)


def _of_plug_in(value: Any, handler: ModelWrapValidatorHandler[Any], info: ValidationInfo) -> Any:
    """Let the class of a plug-in check what names its driver."""
    if isinstance(value, PlugInOutput):
        return value
    driver = value.get("driver") if isinstance(value, dict) else None
    module = plug_in(driver) if isinstance(driver, str) else None
    if module is None:
        return handler(value)
    try:
        return module.Config.model_validate(value, context=info.context)
    except ValidationError as error:
        told = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ValueError(f"driver {driver}: {'; '.join(told)}") from None


Output = Annotated[SerializeAsAny[Annotated[Ours, Field(discriminator="driver")]], WrapValidator(_of_plug_in)]


def config_of_output(given: Mapping[str, Any], *, base: Path) -> Any:
    """One output by itself, checked; for the processes that host outputs."""
    return TypeAdapter(Output).validate_python(dict(given), context={"base": base})
