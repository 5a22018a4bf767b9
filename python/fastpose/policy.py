"""Compiled protocols: where their C header lies, and how a module offers one to the engine.

A module named by ``protocol: {type: cython, module: my_policy}`` has a function
``policy(rules, outputs, bodyparts)``. It is called once, in set-up, with the names in the config's order, so
that the policy can turn names into indices, and returns the capsule that ``policy_capsule`` makes (cimported
from ``fastpose.policy``). ``fastpose.example_policy`` is one.

To compile ``my_policy.pyx``: ``fastpose compile my_policy.pyx``; the config then names its path.
"""

from __future__ import annotations

import importlib
import importlib.util
import sysconfig
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType

from fastpose.errors import ConfigError

__all__ = [
    "compiled_beside",
    "compiled_name",
    "get_include",
    "import_policy",
    "load_policy",
    "policy_beside",
]


def get_include() -> str:
    """Directory to compile policies with, as for ``include_dirs``.

    Returns
    -------
    str
        The directory in which ``protocol/policy.h`` lies.
    """
    package = Path(__file__).resolve().parent
    installed = package / "include"
    return str(installed if installed.is_dir() else package.parents[1] / "csrc")


def import_policy(module: str) -> ModuleType:
    """Import a compiled protocol by its dotted name.

    Raises
    ------
    ConfigError
        It cannot be imported, or has no function ``policy``.
    """
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(_no_policy(f"protocol.module is {module!r}: {error}")) from None
    return _with_policy(found, f"protocol.module is {module!r}")


def load_policy(name: str, file: Path) -> ModuleType:
    """Load a compiled protocol from its file; one that was loaded before is loaded anew.

    Raises
    ------
    ConfigError
        It cannot be loaded, or has no function ``policy``.
    """
    loader = ExtensionFileLoader(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    try:
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
    except ImportError as error:
        raise ConfigError(_no_policy(f"'{file}': {error}")) from None
    return _with_policy(module, f"'{file}'")


def policy_beside(source: Path) -> ModuleType:
    """Load what ``fastpose compile`` made of a .pyx.

    Raises
    ------
    ConfigError
        It was not compiled, or changed since, or has no function ``policy``.
    """
    return load_policy(source.stem, compiled_beside(source))


def compiled_name(source: Path) -> Path:
    """Where the extension module of a .pyx lies, for this Python: beside it."""
    return source.with_name(source.stem + str(sysconfig.get_config_var("EXT_SUFFIX")))


def compiled_beside(source: Path) -> Path:
    """The extension module that ``fastpose compile`` made of a .pyx; it is not loaded.

    Raises
    ------
    ConfigError
        There is none, or the source changed since.
    """
    file = compiled_name(source)
    way_out = f"compile it with: fastpose compile {source}"
    if not file.exists():
        raise ConfigError(f"protocol.path is '{source}': it is not compiled for this Python; {way_out}")
    if source.exists() and source.stat().st_mtime > file.stat().st_mtime:
        raise ConfigError(f"protocol.path is '{source}': it was changed after it was compiled; {way_out}")
    return file


def _with_policy(module: ModuleType, what: str) -> ModuleType:
    if not callable(getattr(module, "policy", None)):
        raise ConfigError(_no_policy(f"{what}: it has no function policy"))
    return module


def _no_policy(text: str) -> str:
    return f"{text}; allowed: a compiled module with a function policy"
