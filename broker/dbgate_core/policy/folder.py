"""Which files of a folder are rules. Whoever reads the folder asks here, so that all agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dbgate_core.errors import UsageError
from dbgate_core.policy.bounds import MAX_FILES

SCHEMA: Final = "schema.cedarschema"
SUFFIX: Final = ".cedar"
_NOTES: Final = (".md", ".txt")


def rule_files(directory: str, files: Iterable[str]) -> list[str]:
    """Of the names of a folder's files, without its subfolders, those of the rules, in their order.

    Hidden files, `.md` and `.txt` are left alone; any other file is refused, since a misspelt name
    would silently take its rules away. Raises UsageError.
    """
    found = sorted(f for f in files if not f.startswith(".") and not f.endswith(_NOTES))
    for name in found:
        if not name.endswith(SUFFIX):
            raise UsageError(
                f"{directory}/{name} is no policy file",
                hint="rules are in .cedar files, notes in .md or .txt; the schema is dbgate's own",
            )
    if not found:
        raise UsageError(f"the policy folder {directory} holds no .cedar file")
    if len(found) > MAX_FILES:
        raise UsageError(f"the policy folder {directory} holds more than {MAX_FILES} files")
    return found
