"""The issuer as a child process, and the ID tokens that lie in files."""

from __future__ import annotations

import asyncio
import http.client
import sys
import time
from typing import Final

from dbgate_broker.dev import children, files
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.issuer.asking import SCOPES
from dbgate_broker.dev.issuer.tokens import ID_TOKEN_S, Signer
from dbgate_broker.dev.people import TOKEN_FILES

NAME: Final = "issuer"
START_S: Final = 30.0
REWRITE_S: Final = ID_TOKEN_S / 3
"""Who reads a file has a token that is good for 40 minutes at least."""
ALL_SCOPES: Final = frozenset(SCOPES)


def signer(home: Home, port: int) -> Signer:
    """The issuer's key, here too: the files' tokens are signed by developer mode itself."""
    return Signer.of(f"http://127.0.0.1:{port}", home.secret("issuer-key"))


async def start(family: children.Children, port: int) -> children.Child:
    """Start the issuer, and wait until it answers."""
    home = family.home
    url = signer(home, port).url
    argv = [sys.executable, "-m", "dbgate_broker.dev.issuer", url]
    argv += [str(home.secret("issuer-key")), str(home.root / NAME / "logins.json")]
    child = await family.start(children.Program(NAME, argv))
    await children.until("the issuer", lambda: _answers(port), child, START_S)
    return child


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/.well-known/openid-configuration")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def write_tokens(home: Home, issuer: Signer) -> None:
    """A fresh ID token into each identity's file."""
    for name, identity in TOKEN_FILES.items():
        token = issuer.id_token(identity, time.time(), ALL_SCOPES)
        files.write(home.identity(name), f"{token.expose()}\n".encode())


async def keep_tokens_fresh(home: Home, issuer: Signer) -> None:
    """Write the files again before their tokens expire, for ever."""
    while True:
        await asyncio.sleep(REWRITE_S)
        write_tokens(home, issuer)
