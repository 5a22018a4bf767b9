"""Compiled protocols: where their C header lies, and how a module offers one to the engine.

A module named by ``protocol: {type: cython, module: my_policy}`` has a function
``policy(rules, outputs, bodyparts)``. It is called once, in set-up, with the names in the config's order, so
that the policy can turn names into indices, and returns the capsule that ``policy_capsule`` makes (cimported
from ``fastpose.policy``). ``fastpose.example_policy`` is one.

To compile ``my_policy.pyx``::

    from Cython.Build import cythonize
    from setuptools import Extension, setup
    from fastpose.policy import get_include

    setup(ext_modules=cythonize(
        Extension("my_policy", ["my_policy.pyx"], language="c++", include_dirs=[get_include()])
    ))
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["get_include"]


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
