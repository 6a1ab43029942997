"""XML taken apart as JSON documents are: elements and attributes are members, with their texts.

Nothing is read but what stands in the text: one with a document type, which may define entities, is
not taken apart.
"""

from __future__ import annotations

import json
import re
from typing import Final
from xml.parsers import expat

MAX_DEPTH: Final = 64
_DECLARATION: Final = re.compile(r"\s*<\?xml[^>]*\?>")
_ROOT: Final = "x"
_NAMESPACED: Final = re.compile(r"[^:]*:")

Content = dict[str, list["Content | str"]]


class _Refused(Exception):
    """It is too deep, or says what its entities are."""


def as_document(text: str) -> str:
    """The JSON that has the same members; empty for what is no XML, or is cut off.

    An element is the list of what stood under its name, so that one and many are alike; the text of
    one that has others in it is under `text`.
    """
    reader = _Reader()
    try:
        reader.read(f"<{_ROOT}>{_DECLARATION.sub('', text, count=1)}</{_ROOT}>")
    except (expat.ExpatError, _Refused):
        return ""
    return json.dumps(reader.root)


class _Reader:
    def __init__(self) -> None:
        self.root: Content = {}
        self._open: list[tuple[str, Content, list[str]]] = []

    def read(self, text: str) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse
        parser.Parse(text, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Refused
        inside: Content = {_plain(key): [value] for key, value in attributes.items()}
        self._open.append((_plain(name), inside, []))

    def _text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def _end(self, name: str) -> None:
        plain, inside, texts = self._open.pop()
        text = "".join(texts).strip()
        if text and (inside or not self._open):
            inside.setdefault("text", []).append(text)
        if self._open:
            self._open[-1][1].setdefault(plain, []).append(inside or text)
        else:
            self.root = inside


def _plain(name: str) -> str:
    return _NAMESPACED.sub("", name)


def _refuse(*told: object) -> None:
    raise _Refused
