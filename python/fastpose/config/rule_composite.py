"""Rules that are made of other rules of the same camera."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from fastpose.config.rule_parts import TimedRule
from fastpose.config.types import PositiveFloat, Text, no_repeats

Rules = Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(no_repeats)]


class _OfRules(TimedRule):
    rules: Rules
    """Names of other rules."""

    def names_of_rules(self) -> tuple[str, ...]:
        """Return the rules that this one is made of."""
        return self.rules


class _OfRule(TimedRule):
    rule: Text
    """Name of another rule."""

    def names_of_rules(self) -> tuple[str, ...]:
        """Return the rule that this one is made of."""
        return (self.rule,)


class AnyRule(_OfRules):
    """True while one of the rules is."""

    type: Literal["any"]


class AllRule(_OfRules):
    """True while all of the rules are."""

    type: Literal["all"]


class NotRule(_OfRule):
    """True while the rule is false."""

    type: Literal["not"]


class BeginsRule(_OfRule):
    """True in the frame in which the rule becomes true."""

    type: Literal["begins"]
    one_frame: ClassVar[bool] = True


class EndsRule(_OfRule):
    """True in the frame in which the rule becomes false."""

    type: Literal["ends"]
    one_frame: ClassVar[bool] = True


class SequenceRule(TimedRule):
    """True in the frame in which the last of the rules begins, after the others did in their order."""

    type: Literal["sequence"]
    one_frame: ClassVar[bool] = True
    rules: Annotated[tuple[Text, ...], Field(min_length=2)]
    """Names of other rules; one may stand there more than once."""
    within_ms: PositiveFloat
    """From one begin to the next at most this."""

    def names_of_rules(self) -> tuple[str, ...]:
        """Return the rules that this one is made of."""
        return self.rules
