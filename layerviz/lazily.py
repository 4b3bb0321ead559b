"""Packages whose names are imported when they are first asked for.

A package's ``__init__`` names what it offers in one block for type checkers; at run time that
block is read, and each name imports its own module alone. So a page that shows a button, or a
command that prints a table, does not import what trains a model. It is how the Scientific Python
projects do it (SPEC 1, lazy loading), without a second file that says the same.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__``, which imports a name from where its source says it is,
    and its ``__dir__``, which lists them all.

    Parameters
    ----------
    package : str
        Its ``__name__``. Its source holds ``if TYPE_CHECKING:`` with lines such as
        ``from layerviz.runs.record import Run``. No name may be that of a module of the package:
        Python puts modules in the same place.
    """

    def name_in_package(name: str) -> Any:
        module = _modules_by_name(package).get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        value = getattr(importlib.import_module(module), name)
        setattr(sys.modules[package], name, value)  # it is not asked for again
        return value

    def all_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *_modules_by_name(package)})

    return name_in_package, all_names


@cache
def _modules_by_name(package: str) -> dict[str, str]:
    """Return for each name that a package offers the module that has it."""
    source = Path(str(sys.modules[package].__file__)).read_text(encoding="utf-8")
    blocks = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    lines = [line for block in blocks for line in block.body if isinstance(line, ast.ImportFrom)]
    return {alias.name: str(line.module) for line in lines for alias in line.names}
