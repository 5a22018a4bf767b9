"""Every type of protocol."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastpose.config.experiments import OptogeneticProtocol, TrialProtocol
from fastpose.config.protocol import ConditionalProtocol, CythonProtocol, NoProtocol, PythonProtocol
from fastpose.config.states import StatesProtocol

Protocol = Annotated[
    NoProtocol
    | ConditionalProtocol
    | OptogeneticProtocol
    | TrialProtocol
    | StatesProtocol
    | PythonProtocol
    | CythonProtocol,
    Field(discriminator="type"),
]
