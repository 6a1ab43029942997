"""The wire's transitions as tables for ARCHITECTURE.md: asked of the session itself, not written by hand.

`python -m tests.unit.pgwire.transitions` writes them into the document.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dbgate_broker.testing.gateway import DiaryGuard
from dbgate_core.errors import ProtocolViolation
from dbgate_core.pgwire.messages import message
from dbgate_core.pgwire.pending import ANSWERS, Kind
from dbgate_core.pgwire.session import FLUSH, Session

DOCUMENT = Path(__file__).parents[3] / "ARCHITECTURE.md"
BEGIN, END = "<!-- transitions: begin -->\n", "<!-- transitions: end -->\n"
READY, BOUND = message(b"Z", b"I"), b"\0s\0\0\0\0\0\0\0"
PREPARED = message(b"P", b"s\0select 1\0\0\0")
COPYING = message(b"Q", b"copy t from stdin\0")
CLIENT: dict[str, bytes] = {
    "Query": message(b"Q", b"select 1\0"),
    "Query, refused by policy": message(b"Q", b"select forbidden\0"),
    "Query, held by policy": message(b"Q", b"select 'held for leave'\0"),
    "Parse": message(b"P", b"\0select 1\0\0\0"),
    "Parse, refused by policy": message(b"P", b"\0select forbidden\0\0\0"),
    "Parse, held by policy": message(b"P", b"\0select 'held for leave'\0\0\0"),
    "Bind": message(b"B", BOUND),
    "Bind of an unknown name": message(b"B", b"\0none\0\0\0\0\0\0\0"),
    "Describe": message(b"D", b"Ss\0"),
    "Execute of an unknown portal": message(b"E", b"none\0\0\0\0\0"),
    "Close": message(b"C", b"Ss\0"),
    "Sync": message(b"S", b""),
    "Flush": FLUSH,
    "FunctionCall": message(b"F", b"\0\0\0\1"),
    "FunctionCall of a large object": message(b"F", b"\0\0\3\xb9\0\0\0\1\0\0\0\4\0\0\0\0\0\1"),
    "CopyData": message(b"d", b"1\n"),
    "CopyDone": message(b"c", b""),
    "CopyFail": message(b"f", b"no\0"),
    "Terminate": message(b"X", b""),
    "any other": message(b"!", b""),
}
SERVER = {
    "1": "ParseComplete", "2": "BindComplete", "3": "CloseComplete", "C": "CommandComplete",
    "D": "DataRow", "E": "ErrorResponse", "G": "CopyInResponse", "H": "CopyOutResponse",
    "I": "EmptyQueryResponse", "T": "RowDescription", "V": "FunctionCallResponse",
    "Z": "ReadyForQuery", "c": "CopyDone", "d": "CopyData", "n": "NoData", "s": "PortalSuspended", "t": "ParameterDescription",
}  # fmt: skip


def _ready() -> Session:
    session = Session(DiaryGuard())
    session.receive_client(PREPARED + CLIENT["Sync"])
    session.receive_server(message(b"1", b"") + READY)
    return session


def _discarding() -> Session:
    session = _ready()
    session.receive_client(CLIENT["Parse"])
    session.receive_server(message(b"E", b"SERROR\0C42601\0\0"))
    return session


def _copying() -> Session:
    session = _ready()
    session.receive_client(COPYING)
    session.receive_server(message(b"G", b"\0\0\0"))
    return session


def _copied() -> Session:
    session = _copying()
    session.receive_client(CLIENT["CopyDone"])
    return session


def _stale() -> Session:
    session = _ready()
    assert isinstance(session.guard, DiaryGuard)
    session.guard.stale = True
    return session


STATES: dict[str, Callable[[], Session]] = {
    "ready": _ready,
    "catalog old": _stale,
    "after an error": _discarding,
    "in COPY IN": _copying,
    "COPY's end sent": _copied,
}


def outcome(state: str, name: str) -> str:
    """What becomes of this client message in this state."""
    session = STATES[state]()
    session.take_for_server()
    data = CLIENT[name]
    try:
        session.receive_client(data)
    except ProtocolViolation:
        return "ends all"
    out = session.take_for_server()
    if session.held:
        return "waits"
    if out == data:
        return "passes"
    return "replaced" if out else "dropped"


def render() -> str:
    """Both tables, in Markdown."""
    lines = [f"| the client sends | {' | '.join(STATES)} |", "|---" * (len(STATES) + 1) + "|"]
    for name in CLIENT:
        lines.append(f"| {name} | {' | '.join(outcome(state, name) for state in STATES)} |")
    lines += ["", "| waits for its answer | that may be, with more to come | and last |"]
    lines.append("|---|---|---|")
    for kind in Kind:
        more, last = ([SERVER[a] for (k, a), ends in ANSWERS.items() if k is kind and ends is it]
                      for it in (False, True))  # fmt: skip
        if more or last:
            lines.append(f"| {kind} | {', '.join(more) or '-'} | {', '.join(last)} |")
    return "\n".join(lines) + "\n"


def documented() -> str:
    """What stands in the document now."""
    return DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + render() + END + rest.partition(END)[2])
