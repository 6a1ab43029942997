"""The compiled module beside its reference: the same answer, or the same error with the same words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import pytest

from dbgate_core.errors import DbgateError

Answer = object


def compiled() -> ModuleType:
    """The compiled module; skips the tests where it is not built."""
    try:
        return import_module("dbgate_core.native._compiled")
    except ImportError as exc:
        pytest.skip(f"the compiled module is not in use: {exc}", allow_module_level=True)


def answer(function: Callable[..., object], *args: object) -> tuple[str, object]:
    """What a function gives, or which declared error it raises; nothing else may leave it."""
    try:
        return "gives", function(*args)
    except DbgateError as exc:
        return type(exc).__name__, str(exc)
