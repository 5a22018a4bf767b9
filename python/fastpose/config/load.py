"""Reads a config file: YAML 1.2 values, environment variables, checked models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fastpose.config.problems import Problem, dotted, nearest, problems_of
from fastpose.config.root import Config
from fastpose.config.yaml import Loader, dump
from fastpose.errors import ConfigError

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_]\w*)(?P<default>:-[^}]*)?\}|\$\{")


def load_config(path: str | os.PathLike[str]) -> Config:
    """Read and check a config file.

    Parameters
    ----------
    path : path-like
        YAML file. ``${NAME:-default}`` in its strings is expanded, ``$${`` is a plain ``${``. Paths in it
        are relative to the file, session.directory to the working directory.

    Raises
    ------
    ConfigError
        One line a problem: the path in the config, the value, what is allowed.
    """
    file = Path(path)
    try:
        return config_from(_read(file), base=file.parent)
    except ConfigError as error:
        raise ConfigError(*(f"{file}: {line}" for line in error.lines)) from None


def config_from(data: Any, *, base: str | os.PathLike[str] = ".") -> Config:
    """Check a config given as nested dicts, as YAML holds it.

    Parameters
    ----------
    data : dict
        The sections of the config.
    base : path-like
        Folder that relative paths start from.

    Raises
    ------
    ConfigError
        One line a problem.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"no sections; allowed: {', '.join(Config.model_fields)}")
    expanded, problems = _expand_all(data)
    if problems:
        raise ConfigError(*map(str, problems))
    try:
        return Config.model_validate(expanded, context={"base": Path(base)})
    except ValidationError as error:
        raise ConfigError(*map(str, problems_of(error, expanded, _schema()))) from None


def resolved_yaml(config: Config) -> str:
    """Return the config as YAML, every default filled in, paths absolute; it loads again to an equal one."""
    return dump(_escape(config.model_dump(mode="json")))


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return Config.model_json_schema()


def _read(file: Path) -> Any:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        siblings = [other.name for other in file.parent.glob("*.y*ml")]
        raise ConfigError(f"no such file{nearest(file.name, siblings)}; allowed: a config in YAML") from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    try:
        return yaml.load(text, Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError("is nested too deeply") from None


def _expand_all(data: Any) -> tuple[Any, list[Problem]]:
    problems: list[Problem] = []

    def expand(value: Any, keys: tuple[str | int, ...]) -> Any:
        if isinstance(value, str):
            text, problem = _expand(value)
            if problem:
                problems.append(Problem(dotted(keys), problem))
            return text
        if isinstance(value, Mapping):
            return {key: expand(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [expand(item, (*keys, index)) for index, item in enumerate(value)]
        return value

    try:
        return expand(data, ()), problems
    except RecursionError:
        raise ConfigError("refers to itself through a YAML alias; write the values out") from None


def _expand(text: str) -> tuple[str, str]:
    """Return the text with its variables, and what is wrong with them."""
    problems: list[str] = []

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            problems.append(
                f"{text!r} has no whole variable; allowed: ${{NAME}}, ${{NAME:-default}}, $${{ for ${{"
            )
            return ""
        value = os.environ.get(name, "")
        if value or default is not None:
            return value or default.removeprefix(":-")
        if name not in os.environ:
            problems.append(f"environment variable {name} is not set; set it, or write ${{{name}:-default}}")
        return value

    return _VARIABLE.sub(replacement, text), "; ".join(problems)


def _escape(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: _escape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escape(item) for item in value]
    return value
