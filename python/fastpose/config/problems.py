"""What is wrong with a config, one line a problem: path, value, what is allowed, the nearest valid name."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fastpose.config.allowed import allowed_keys, allowed_text

_LATER = {  # what fastpose is to have and this version lacks
    *("gpio", "nidaq", "zmq", "osc", "lsl"),
    *("cuda", "gpu", "tensorrt", "fp16"),
}


class Problem(NamedTuple):
    """One thing that is wrong."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class ProblemsError(ValueError):
    """Several problems that one validator found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def nearest(name: object, names: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)", or nothing where no name is near."""
    matches = difflib.get_close_matches(str(name), list(names), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def no_such(kind: str, name: str, names: Iterable[str]) -> str:
    """Return the text for a name of something that is not there."""
    known = list(names)
    allowed = ", ".join(known) or f"none, there is no {kind}"
    return f"no {kind} {name!r}{nearest(name, known)}; allowed: {allowed}"


def short(value: object) -> str:
    """Return the value in one short line."""
    if isinstance(value, Mapping):
        return "a mapping"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return reprlib.repr(value).replace("\n", " ")


def problems_of(error: ValidationError, data: Any, schema: dict[str, Any]) -> list[Problem]:
    """Translate pydantic's errors.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    data : object
        What was validated.
    schema : dict
        JSON schema of the model: says what is allowed.
    """
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        for problem in _problems_of_detail(detail, data, schema):
            found.setdefault(problem.path, problem)  # a union reports each of its members; one line is enough
    return [problem for path, problem in found.items() if not any(_is_inside(other, path) for other in found)]


def _is_inside(path: str, parent: str) -> bool:
    return path.startswith((f"{parent}.", f"{parent}["))


def _problems_of_detail(detail: ErrorDetails, data: Any, schema: dict[str, Any]) -> Iterable[Problem]:
    keys = _keys_in_data(detail, data)
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, ProblemsError):
        return cause.problems
    if detail["loc"] and detail["loc"][-1] == "[key]":
        text = f"{short(detail['loc'][-2])} is not a name; allowed: letters, digits, '_' and '-', at most 40"
        return [Problem(dotted(keys[:-1]), text)]
    if detail["type"] == "union_tag_not_found":
        keys = (*keys, detail["ctx"]["discriminator"].strip("'"))
    if detail["type"] == "union_tag_invalid":
        keys = (*keys, detail["ctx"]["discriminator"].strip("'"))
        return [Problem(dotted(keys), _not_one_of(detail["ctx"]["tag"], _tags(schema, detail)))]
    return [Problem(dotted(keys), _text_of(detail, schema))]


def _text_of(detail: ErrorDetails, schema: dict[str, Any]) -> str:
    cause = detail.get("ctx", {}).get("error")
    allowed = allowed_text(schema, detail["loc"])
    if detail["type"] == "extra_forbidden":
        keys = allowed_keys(schema, detail["loc"][:-1])
        return f"unknown key{nearest(detail['loc'][-1], keys)}; allowed: {', '.join(keys)}"
    if detail["type"] == "union_tag_not_found":
        return f"missing; allowed: {', '.join(_tags(schema, detail))}"
    if detail["type"] == "missing":
        return f"missing; allowed: {allowed}"
    if cause is not None:
        return str(cause)
    return _not_one_of(detail["input"], allowed.split(", "))


def _not_one_of(value: Any, allowed: list[str]) -> str:
    if isinstance(value, str) and value in _LATER:
        return f"{value!r} is not in this version; this version has: {', '.join(allowed)}"
    guess = nearest(value, allowed) if isinstance(value, str) else ""
    return f"{short(value)} is not allowed{guess}; allowed: {', '.join(allowed)}"


def _tags(schema: dict[str, Any], detail: ErrorDetails) -> list[str]:
    return allowed_text(schema, (*detail["loc"], detail["ctx"]["discriminator"].strip("'"))).split(", ")


def _keys_in_data(detail: ErrorDetails, data: Any) -> tuple[str | int, ...]:
    """Return the location without the union tags that pydantic mixes in."""
    location = detail["loc"]
    keys: list[str | int] = []
    for index, key in enumerate(location):
        is_last = index == len(location) - 1
        if _holds(data, key):
            data = data[key]
        elif not (is_last and detail["type"] == "missing"):
            continue
        keys.append(key)
    return tuple(keys)


def _holds(data: Any, key: str | int) -> bool:
    if isinstance(data, Mapping):
        return key in data
    return isinstance(data, list | tuple) and isinstance(key, int) and key < len(data)


def dotted(keys: Iterable[str | int]) -> str:
    """Return the path as a user reads it: rules.in_corner.bodyparts[0]."""
    path = ""
    for key in keys:
        name = str(key) if str(key).isprintable() else repr(key)
        path += f"[{key}]" if isinstance(key, int) else f".{name}" if path else name
    return path
