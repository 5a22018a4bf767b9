"""Experiments as DeepLabStream knows them, in their own words; `translate.py` makes machines of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.states import Actions, Held, OnLate, Seed
from fastpose.config.types import Name, NonNegativeFloat, PositiveFloat, PositiveInt, Section, Text


class OptogeneticProtocol(Section):
    """Stimulate while the rule is true: at least and at most so long, then a pause; up to a total time."""

    type: Literal["optogenetic"]
    when: Text
    """Name of one of the rules."""
    do: Annotated[Held, Field(min_length=1)]
    """Per output: on, or another action; it goes on while stimulated, and is off afterwards."""
    min_stim_s: NonNegativeFloat = 3.0
    """A stimulation lasts at least so long, even when the rule is false again."""
    max_stim_s: PositiveFloat = 10.0
    """A stimulation lasts at most so long, even when the rule is still true."""
    inter_trial_s: PositiveFloat = 40.0
    """After a stimulation nothing happens for so long."""
    max_total_stim_s: PositiveFloat | None = 500.0
    """The session ends when the stimulations add up to this; null: no limit."""
    max_stimulations: PositiveInt | None = None
    """The session ends after the pause behind this one; null: no limit."""
    max_session_s: PositiveFloat | None = 3600.0
    """The session ends so long after its first frame; null: no limit."""
    deadline_ms: PositiveFloat | None = None
    """From exposure_start to the start of a stimulation; null: none."""
    on_late: OnLate = "suppress"
    """suppress: a stimulation that would begin late is given without its outputs, and does not count."""
    camera: Text | None = None
    """Camera whose rules it gets; null: the only one that a network sees."""

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.min_stim_s > self.max_stim_s:
            raise ValueError(
                f"min_stim_s is {self.min_stim_s:g}; allowed: at most max_stim_s, {self.max_stim_s:g}"
            )
        for name in ("min_stim_s", "max_stim_s", "inter_trial_s"):
            if 0 < getattr(self, name) < 0.001:
                raise ValueError(f"{name} is {getattr(self, name):g}; allowed: at least 0.001")
        return self


class TrialType(Section):
    """One kind of trial."""

    do: Held = Field(default_factory=dict)
    """The stimulus, per output: on, or another action; off when its time is over. None: no stimulus."""
    count: PositiveInt = 40
    """How often it comes in a block."""


class TrialProtocol(Section):
    """Trials that the animal starts: a stimulus, a response within a time, a result, a pause."""

    type: Literal["trial"]
    start_when: Text
    """Rule that starts a trial, when it is true while no trial runs."""
    response: Text
    """Rule that the result is made of."""
    trials: Annotated[dict[Name, TrialType], Field(min_length=1)]
    """Types of trials by name. The session ends when all of them have been."""
    order: Literal["sequence", "random", "blocked"] = "random"
    """random: all shuffled as one; blocked: shuffled within each block; sequence: as written."""
    blocks: PositiveInt = 1
    """How often the counts come."""
    stimulus_s: PositiveFloat = 10.0
    """How long the stimulus lasts from the start of the trial on; it ends with the trial at the latest."""
    trial_s: PositiveFloat = 10.0
    """How long a trial lasts."""
    result: Literal["any", "all"] = "any"
    """any: a success where the response was true in a frame of the trial; all: in every frame of it."""
    result_at: Literal["end", "once_known"] = "end"
    """end: a trial always takes its time; once_known: it ends as soon as its result is certain."""
    on_success: Actions = Field(default_factory=dict)
    on_failure: Actions = Field(default_factory=dict)
    inter_trial_s: PositiveFloat = 40.0
    """From a result on no trial starts for so long."""
    max_successes: PositiveInt | None = 20
    """The session ends after the pause behind this success; null: no limit."""
    max_session_s: PositiveFloat | None = 6000.0
    """The session ends so long after its first frame; null: no limit."""
    deadline_ms: PositiveFloat | None = None
    """From exposure_start to the stimulus; null: none."""
    on_late: OnLate = "suppress"
    seed: Seed | None = None
    """Of the order of trials; null: drawn when the session starts, and written into its config.yaml."""
    camera: Text | None = None
    """Camera whose rules it gets; null: the only one that a network sees."""

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        for name in ("stimulus_s", "trial_s", "inter_trial_s"):
            if getattr(self, name) < 0.001:
                raise ValueError(f"{name} is {getattr(self, name):g}; allowed: at least 0.001")
        return self
