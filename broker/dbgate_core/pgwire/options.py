"""The settings that a StartupMessage asks for, by name and in its `options`.

They are taken apart here, judged one by one as the SET that each stands for, and sent on by name:
PostgreSQL never sees the client's `options`.

Source: PostgreSQL documentation, "Message Formats" (StartupMessage), and `options` of libpq.
"""

from __future__ import annotations

from typing import Final

from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.backend import REQUIRED

_NEVER: Final = frozenset({"role", "session_authorization", "session_preload_libraries",
    "local_preload_libraries", "user", "database", "options", "replication"})  # fmt: skip
"""Settings that no policy lets pass at the start: who runs here and what code, and the words that
mean something else in a StartupMessage when they come out of `options`."""
_SAME: Final = {
    "client_encoding": frozenset({"utf8", "unicode", "auto"}),
    "standard_conforming_strings": frozenset({"on", "true", "yes", "1"}),
}
"""What clients may say for REQUIRED; PostgreSQL reads encodings by letters and digits."""
_SPACES: Final = " \t\n\v\f\r"
"""C's isspace."""


def checked(values: dict[str, str]) -> dict[str, str]:
    """The settings asked for, in lower case; `options` taken apart. Raises ProtocolViolation."""
    if values.get("replication", "off").lower() not in ("off", "false", "no", "0"):
        raise ProtocolViolation("replication connections are not governed", hint="connect directly")
    settings = _options(values.get("options", ""))
    settings += [pair for pair in values.items() if pair[0] not in ("options", "replication")]
    passed: dict[str, str] = {}
    for spelled, value in settings:
        name = spelled.lower()
        _check(name, value)
        if name not in REQUIRED:
            passed[name] = value
    return passed


def _check(name: str, value: str) -> None:
    if name in _NEVER or name.startswith("_pq_."):
        raise ProtocolViolation(f"the start-up parameter {name} does not pass")
    if name not in REQUIRED:
        return
    plain = "".join(letter for letter in value.lower() if letter.isalnum())
    if plain not in _SAME[name]:
        raise ProtocolViolation(
            f"{name} {value} does not pass", hint=f"dbgate needs {name} = {REQUIRED[name]}"
        )


def as_statement(name: str, value: str) -> str:
    """The SET that does what a setting of a StartupMessage does."""
    quoted = name.replace('"', '""')
    return f'SET "{quoted}" TO ' + "'" + value.replace("'", "''") + "'"


def _options(text: str) -> list[tuple[str, str]]:
    """`-c name=value` and `--name=value`, as PostgreSQL's `options` has them."""
    words = _words(text)
    settings = []
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word = words.pop(0)
        elif word.startswith(("-c", "--")) and len(word) > 2:
            word = word[2:]
        else:
            raise ProtocolViolation(f"the start-up option {word} does not pass")
        name, equals, value = word.partition("=")
        if not equals:
            raise ProtocolViolation(f"the start-up option {word} has no value")
        settings.append((name.replace("-", "_"), value))
    return settings


def _words(text: str) -> list[str]:
    """Split at white space; a backslash takes the next character as it is (pg_split_opts)."""
    words: list[str] = []
    word: str | None = None
    letters = iter(text)
    for letter in letters:
        if letter in _SPACES:
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + (next(letters, "") if letter == "\\" else letter)
    return words if word is None else [*words, word]
