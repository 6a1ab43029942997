"""`dbgate doctor`."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import typer

from dbgate_cli import console, programs, render, settings
from dbgate_cli.auth import Identity
from dbgate_cli.client import Broker
from dbgate_cli.commands._shared import Json
from dbgate_cli.settings import Settings
from dbgate_cli.token_store import memory_folder, real_keyring
from dbgate_cli.tunnel import most_connections
from dbgate_core.contract import Discovery
from dbgate_core.errors import DbgateError, Unreachable, UsageError

GATEWAY_TIMEOUT_S = 5.0
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, what was found, what to do."""

    check: str
    ok: bool
    found: str
    hint: str = ""
    exit_code: int = 0


def doctor(json: Json = False) -> int:
    """Check this machine's way to the broker, and say what to do.

    Ends with the exit code of the first thing that is wrong.
    """
    findings = examine(settings.load())
    for finding in findings:
        if json:
            render.emit(
                {"check": finding.check, "ok": finding.ok, "found": finding.found}
                | ({"hint": finding.hint} if finding.hint else {})
            )
    if not json:
        render.table(
            ("CHECK", "", "FOUND"),
            [(f.check, "ok" if f.ok else "WRONG", f.found) for f in findings],
        )
        for finding in findings:
            if not finding.ok and finding.hint:
                console.note(f"hint: {finding.check}: {finding.hint}")
    return next((f.exit_code for f in findings if not f.ok), 0)


def examine(where: Settings) -> list[Finding]:
    """Look at everything in order; what cannot be looked at for want of the former is left out."""
    identity = Identity(where)
    findings = [_try("settings", lambda: f"broker {where.require_broker()}")]
    findings.append(Finding("psql", True, programs.find("psql") or "none: connect only listens"))
    findings.append(Finding("tunnel", True, f"up to {most_connections()} connections at once"))
    findings.append(_try("login store", _stores))
    findings.append(_try("compiled module", _native))
    if proxies := [name for name in PROXIES if os.environ.get(name)]:
        findings.append(Finding("proxy", True, f"{', '.join(proxies)} set, and not used by dbgate"))
    if not findings[0].ok:
        return findings
    try:
        broker = Broker(where, identity.token)
    except DbgateError as exc:
        return [*findings, _wrong("CA file", exc)]
    try:
        discovery = broker.discovery()
        findings.append(Finding("broker", True, f"dbgate {discovery.version} answers"))
        findings.append(_try("gateway", lambda: _gateway(broker, discovery)))
        findings.append(_try("issuer", lambda: _issuer(where, discovery)))
        findings.append(_try("signed in", lambda: f"{broker.whoami().name} ({identity.source})"))
    except DbgateError as exc:
        findings.append(_wrong("broker", exc))
    finally:
        broker.close()
    return findings


def _try(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, look())
    except DbgateError as exc:
        return _wrong(check, exc)


def _wrong(check: str, exc: DbgateError) -> Finding:
    hint = "" if exc.hint == "dbgate doctor" else exc.hint
    return Finding(check, False, exc.message, hint, exc.exit_code)


def _stores() -> str:
    if real_keyring() is not None:
        return "OS keyring"
    if memory_folder() is not None:
        return "memory, until this machine restarts (no OS keyring)"
    raise UsageError(
        "no OS keyring and no memory file system",
        hint="dbgate login --store file, or a job's token",
    )


def _native() -> str:
    """Whether masking is quick on this machine, should a broker run here."""
    from dbgate_core import native

    return f"{native.STATE}; {native.HINT}" if native.HINT else native.STATE


def _issuer(where: Settings, discovery: Discovery) -> str:
    from dbgate_cli.login import issuer_of

    return issuer_of(where, discovery).url


def _gateway(broker: Broker, discovery: Discovery) -> str:
    """Reach the gateway's port and verify its certificate."""
    address = (discovery.gateway_host, discovery.gateway_port)
    try:
        with (
            socket.create_connection(address, GATEWAY_TIMEOUT_S) as plain,
            broker.tls.wrap_socket(plain, server_hostname=address[0]) as tls,
        ):
            return f"{address[0]}:{address[1]} answers with {tls.version()}"
    except ssl.SSLCertVerificationError as exc:
        raise Unreachable(
            f"{address[0]}:{address[1]} has a certificate that does not verify: {exc.verify_message}",
            hint="set DBGATE_CA_FILE",
        ) from exc
    except OSError as exc:
        raise Unreachable(
            f"{address[0]}:{address[1]} does not answer: {exc.strerror or exc}",
            hint="is its port open to this machine?",
        ) from exc


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: dbgate doctor")(doctor)
