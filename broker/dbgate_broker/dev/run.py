"""`dbgate dev`: start everything on this machine, say what to type, keep it, stop it.

    OpenBao ──────────────┐
    PostgreSQL ─ databases ┼─ setup of Vault ─ broker ─ ready
    issuer, token files ──┘

What does not need another part starts beside it. PostgreSQL, OpenBao and the issuer end developer
mode when they end; the broker is started again. All of it is gone within five seconds of Ctrl-C:
the broker first, since it revokes its leases at OpenBao, which drops its users at PostgreSQL.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
import signal
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dbgate_broker.dev import (
    broker_child,
    children,
    databases,
    files,
    issuer_child,
    openbao,
    own,
    ports,
    postgres,
    ready,
    settings,
    vault_setup,
)
from dbgate_broker.dev.access import AccessRoles
from dbgate_broker.dev.authority import Authority
from dbgate_broker.dev.console import Stopwatch, say
from dbgate_broker.dev.home import Home
from dbgate_broker.dev.issuer.tokens import Signer
from dbgate_broker.policies import shipped
from dbgate_core.errors import UsageError

STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_S: Final = 4.5
"""A stop takes no longer; what has not ended by then is killed."""
BROKER_GRACE_S: Final = 2.5
"""Of it, at most for the broker."""
ADMIN_TOKEN_S: Final = 12 * 3600.0
POLICIES: Final = ("default", "permissive")


@dataclass(frozen=True, slots=True)
class DevOptions:
    """What the command line gives. `policy` is `default`, `permissive` or a folder."""

    home: Path
    databases: list[tuple[str, str]] = field(repr=False)  # a DSN may hold a password
    ready_file: Path | None = None
    port_base: int = 0
    policy: str = "default"


async def run(options: DevOptions) -> int:
    """Run until a signal (0), or until a part fails (its error is raised)."""
    stopped = _stop_event()
    targets = _targets(options.databases)
    policy_directory = policies(options.policy)
    home = Home(options.home.expanduser().absolute())
    home.make()
    with home.lock():
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)  # of a start that was killed
        for name in await asyncio.to_thread(children.end_leftovers, home):
            say(f"{name} was left by a crash and is ended")
        stack = Stack(home, options, targets, policy_directory)
        try:
            await _first_of(stopped.wait(), stack.live())
        finally:
            if options.ready_file is not None:
                options.ready_file.unlink(missing_ok=True)
            await stack.stop()
    return 0


def _stop_event() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPS:
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def _first_of(*work: Coroutine[Any, Any, object]) -> None:
    """Until one ends or fails; the other is cancelled. Raises what it failed with."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _targets(named: list[tuple[str, str]]) -> list[own.Target]:
    """The `--database` options, checked; their role names must not meet."""
    found = [own.target(name, dsn) for name, dsn in named]
    names = [one.name for one in databases.SAMPLES] + [name for name, _ in named]
    roles = [AccessRoles.of(name) for name in names]
    if len(set(roles)) < len(roles):
        raise UsageError(
            "--database: two databases have the same name",
            hint=f"not {' or '.join(one.name for one in databases.SAMPLES)}, and each once",
        )
    return found


def policies(wanted: str) -> Path:
    """The policy directory: a shipped one by name, or a folder."""
    if wanted in POLICIES:
        return shipped(wanted)
    folder = Path(wanted).expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(
            f"--policy {wanted} is no folder", hint=f"{', '.join(POLICIES)}, or a folder"
        )
    return folder


class Stack:
    """All parts of one home."""

    def __init__(
        self, home: Home, options: DevOptions, targets: list[own.Target], policy_directory: Path
    ) -> None:
        self._home = home
        self._options = options
        self._targets = targets
        self._policy_directory = policy_directory
        self._family = children.Children(home)
        self._broker: broker_child.BrokerChild | None = None
        self._watch = Stopwatch()

    async def live(self) -> None:
        """Start everything, then keep it. Raises what a part failed with."""
        say(f"home {self._home.root}")
        chosen = ports.choose(self._home.root / "ports.json", self._options.port_base)
        authority = Authority(self._home.root / "ca")
        certificate = self._home.root / "ca" / "broker"
        authority.leaf(certificate.with_suffix(".pem"), certificate.with_suffix(".key"), "dbgate")
        (vault, cluster, governed, access), _ = await _together(
            self._credentials(authority, chosen), self._issuer(chosen)
        )
        settings.write(self._home, chosen, access, governed, self._policy_directory)
        self._broker = broker_child.BrokerChild(self._family, chosen.broker)
        await self._broker.start()
        self._watch.done(f"broker on https://127.0.0.1:{chosen.broker}")
        found = ready.document(self._home, chosen, cluster, governed)
        if self._options.ready_file is not None:
            ready.write(self._options.ready_file, found)
        self._what_to_type(chosen, governed)
        await self._keep(self._broker, vault, issuer_child.signer(self._home, chosen.issuer))

    async def _credentials(
        self, authority: Authority, chosen: ports.Ports
    ) -> tuple[openbao.Vault, postgres.Cluster, list[databases.Governed], vault_setup.Access]:
        vault, (cluster, governed), *others = await _together(
            self._openbao(chosen),
            self._postgresql(authority, chosen),
            *(asyncio.to_thread(own.prepare, target) for target in self._targets),
        )
        governed += others
        access = await asyncio.to_thread(vault_setup.setup, vault, self._home, governed)
        self._watch.done("OpenBao makes database users")
        return vault, cluster, governed, access

    async def _openbao(self, chosen: ports.Ports) -> openbao.Vault:
        vault, _ = await openbao.start(self._family, chosen)
        self._watch.done("OpenBao is unsealed")
        return vault

    async def _postgresql(
        self, authority: Authority, chosen: ports.Ports
    ) -> tuple[postgres.Cluster, list[databases.Governed]]:
        cluster, _ = await postgres.start(self._family, authority, chosen.postgresql)
        tls = (
            "TLS, SCRAM bound to it" if cluster.server.tls else "no TLS in this build: SCRAM alone"
        )
        self._watch.done(f"PostgreSQL {cluster.server.major} ({tls})")
        if cluster.place.parent != self._home.root:
            say(f"its data is in {cluster.place}: its account cannot reach the home")
        governed = await asyncio.to_thread(databases.prepare, cluster)
        self._watch.done(f"databases {', '.join(one.name for one in governed)}")
        return cluster, governed

    async def _issuer(self, chosen: ports.Ports) -> None:
        signer = issuer_child.signer(self._home, chosen.issuer)
        issuer_child.write_tokens(self._home, signer)
        files.keep(self._home.secret("masking-key"), lambda: secrets.token_bytes(32))
        await issuer_child.start(self._family, chosen.issuer)
        self._watch.done("issuer knows alice, bob, carol and dave")

    async def _keep(
        self, broker: broker_child.BrokerChild, vault: openbao.Vault, signer: Signer
    ) -> None:
        """Until a part fails. The broker's own deaths are not failures."""
        parts = [child for child in self._family.all if child.program.name != broker_child.NAME]
        await _together(
            broker.keep(),
            issuer_child.keep_tokens_fresh(self._home, signer),
            self._keep_admin_token(vault),
            *(_fail_with(child) for child in parts),
        )

    async def _keep_admin_token(self, vault: openbao.Vault) -> None:
        while True:
            await asyncio.sleep(ADMIN_TOKEN_S)
            await asyncio.to_thread(vault_setup.write_admin_token, vault, self._home)

    def _what_to_type(self, chosen: ports.Ports, governed: list[databases.Governed]) -> None:
        say(f"ready after {self._watch.seconds:.1f} s. In another shell:")
        for line in (
            f"export DBGATE_BROKER=https://127.0.0.1:{chosen.broker}",
            f"export DBGATE_CA_FILE={shlex.quote(str(self._home.ca_file))}",
            "dbgate login --as alice          # or bob (dba), carol (auditor), dave (no rights)",
            f"dbgate connect {governed[-1].name if self._targets else 'prod-db'}",
        ):
            say(f"    {line}")
        say("Ctrl-C stops everything")

    async def stop(self) -> None:
        """End everything, the broker first."""
        watch = Stopwatch()
        if self._broker is not None:
            await self._broker.stop(BROKER_GRACE_S)
        await self._family.stop(STOP_S - watch.seconds)
        say(f"stopped in {watch.seconds:.1f} s")


async def _fail_with(child: children.Child) -> None:
    """Raise when a part ends that nothing works without."""
    await child.wait()
    raise child.failure()


async def _together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """The results of all, run side by side; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as failures:
        found: BaseException = failures
        while isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        raise found from None
    return [task.result() for task in tasks]
