"""Reads models of other tools and writes them as model packages: ``fastpose import``."""

from fastpose.importing.detect import READERS, Reader, detect
from fastpose.importing.imported import Found, Imported, Options, Reference
from fastpose.importing.write import import_model

__all__ = ["READERS", "Found", "Imported", "Options", "Reader", "Reference", "detect", "import_model"]
