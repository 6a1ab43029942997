r"""The files of the corpus: SQL, grouped by trick, one file each.

A file begins with `-- key: value` lines that hold for all its cases, and then what a superuser does
before anybody attacks. `-- case: NAME` begins a case; lines of keys of its own may follow, then what
the client sends. A line `-- then` lies between two messages.

    about    what the trick is
    session  the access role of the session (admin)
    user     the database user: `ephemeral`, a superuser, so that what stops an attack is dbgate; or
             `plain`, who has only been granted things
    rule     the rule that stops it
    effect   what is different after it: a catalog, a table, `files` ... (tests/corpus/state.py)
    shows    what stands in an answer if it works, in place of an effect
    lasts_ms how long it takes at least if it works, in place of an effect
    alone    `yes`: not in a transaction that is rolled back, but in a database of its own
    undo     what a superuser does after that, for what lies outside the database
    form     `simple`, `extended`, `wire` (one message a line, tests/corpus/wire.py), or both of the
             first two where nothing is said
    values   parameters, ` | ` between them, for messages that hold `$1`
    data     what is sent when the server asks for COPY data, with Python's escapes
    escapes  `yes`: the text has Python's escapes
    open     why it is not stopped
    allowed  why it is not meant to be stopped
    fails    `yes`: a harmless case that gets an error, the same on both ways
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILES: Final = Path(__file__).parent / "files"
CAPTURED: Final = Path(__file__).parents[1] / "unit" / "sql" / "harmless"
_KEYS: Final = frozenset(
    {
        *("about", "session", "user", "rule", "effect", "shows", "lasts_ms", "alone", "undo"),
        *("form", "values", "data", "escapes", "open", "allowed", "fails"),
    }
)
_ELSEWHERE: Final = re.compile(r"(?i)snapshot|function_cat|shop\.|from pg_database|pg_settings s\b")
"""Of what tools ask, that which two databases answer differently, or none of the two."""
_SIGNS: Final = frozenset({"effect", "shows", "lasts_ms"})
"""What tells that an attack worked; a case's own takes the place of its file's."""
_KEY: Final = re.compile(r"-- (\w+): (.*)")


@dataclass(frozen=True, slots=True)
class Case:
    """One case: who sends what, and what would come of it."""

    group: str
    name: str
    steps: tuple[str, ...]
    keys: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.group}: {self.name}"

    def __getitem__(self, key: str) -> str:
        return self.keys.get(key, "")

    @property
    def session(self) -> str:
        """The access role."""
        return self["session"] or "admin"

    @property
    def user(self) -> str:
        """The database user."""
        return self["user"] or "ephemeral"

    @property
    def forms(self) -> tuple[str, ...]:
        """How it is sent: one after the other."""
        if self.values:
            return ("extended",)
        return (self["form"],) if self["form"] else ("simple", "extended")

    @property
    def values(self) -> tuple[str, ...]:
        """Its parameters."""
        return tuple(self["values"].split(" | ")) if self["values"] else ()

    @property
    def data(self) -> bytes:
        """What a COPY FROM STDIN is fed with."""
        return escaped(self["data"]).encode()


@dataclass(frozen=True, slots=True)
class Group:
    """A file."""

    name: str
    about: str
    prepare: str
    cases: tuple[Case, ...]


def groups(kind: str) -> list[Group]:
    """The groups of `attacks` or of `harmless`."""
    return [read(file) for file in sorted((FILES / kind).glob("*.sql"))]


def tools() -> list[Group]:
    """What tools ask by themselves (tests/unit/sql/harmless): captured from a server's log, those of
    DBeaver, Grafana and Metabase written after it.

    They look at OIDs, so they come before what makes things. A text may begin with its `values`.
    """
    return [_tool(file) for file in sorted(CAPTURED.glob("*.sql"))]


def _tool(file: Path) -> Group:
    name, cases = f"tool_{file.stem}", []
    for number, asked in enumerate(file.read_text().split("\n-- next\n"), 1):
        keys, text = _keys(asked)
        if not _ELSEWHERE.search(text):
            keys |= {"session": "readwrite", "fails": "yes"}
            cases.append(Case(name, str(number), (text,), keys))
    return Group(name, f"what {file.stem} asks", "", tuple(cases))


def read(file: Path) -> Group:
    """One file. Raises ValueError for a key that is not known."""
    head, *bodies = re.split(r"^-- case: ", file.read_text(), flags=re.MULTILINE)
    shared, prepare = _keys(head)
    cases = tuple(_case(file.stem, shared, body) for body in bodies)
    return Group(file.stem, shared.pop("about", ""), prepare, cases)


def _case(group: str, shared: Mapping[str, str], text: str) -> Case:
    name, _, rest = text.partition("\n")
    own, body = _keys(rest)
    if _SIGNS & own.keys():
        shared = {key: value for key, value in shared.items() if key not in _SIGNS}
    keys = {**shared, **own}
    if keys.get("escapes"):
        body = escaped(body)
    return Case(group, name, tuple(_steps(body)), keys)


def _steps(body: str) -> Iterator[str]:
    for step in re.split(r"^-- then\n", body, flags=re.MULTILINE):
        yield step.strip("\n")


def _keys(text: str) -> tuple[dict[str, str], str]:
    """The keys in the first lines, and what follows."""
    keys: dict[str, str] = {}
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        found = _KEY.match(line)
        if found is None:
            return keys, "".join(lines[number:])
        key, value = found.groups()
        if key not in _KEYS:
            raise ValueError(f"not a key of a case: {key}")
        keys[key] = value.strip()
    return keys, ""


def escaped(text: str) -> str:
    """Python's escapes, and whatever stands there as itself."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")
