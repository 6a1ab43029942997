"""The options of a COPY statement, with the server's defaults (PostgreSQL documentation, COPY)."""

from __future__ import annotations

from collections.abc import Mapping

from dbgate_core.masking.copy import CopyFormat
from dbgate_core.sql.tree import Node, kind

_TRUE = frozenset({"", "true", "on", "1", "match", "t", "yes", "y"})


def options_of(copy: Node) -> dict[str, str]:
    """Name to text; an option without a value is the empty text."""
    return {item.def_elem.defname.lower(): _text(item.def_elem.arg) for item in copy.options}


def _text(argument: Node) -> str:
    name = kind(argument)
    if name == "string":
        return str(argument.string.sval)
    if name == "boolean":
        return "true" if argument.boolean.boolval else "false"
    if name == "integer":
        return str(argument.integer.ival)
    return ""


def is_binary(options: Mapping[str, str]) -> bool:
    """Is the format binary."""
    return options.get("format", "text").lower() == "binary"


def copy_format(options: Mapping[str, str]) -> CopyFormat:
    """The format that the options ask for."""
    csv = options.get("format", "text").lower() == "csv"
    quote = options.get("quote", '"')
    return CopyFormat(
        csv=csv,
        delimiter=options.get("delimiter", "," if csv else "\t").encode(),
        null=options.get("null", "" if csv else "\\N").encode(),
        quote=quote.encode(),
        escape=options.get("escape", quote).encode(),
        header="header" in options and options["header"].lower() in _TRUE,
    )
