"""One broker: its parts put together, started in the order of their needs, stopped in reverse."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import NamedTuple

from dbgate_broker.api.app import build
from dbgate_broker.api.operations import scrape
from dbgate_broker.api.server import ApiServer
from dbgate_broker.audit.log import AuditLog
from dbgate_broker.catalog import CatalogService
from dbgate_broker.catalog.line import IDLE_S
from dbgate_broker.classify.service import Classifier, review_of
from dbgate_broker.config import Config, ListenConfig
from dbgate_broker.credentials.vault import VaultProvider
from dbgate_broker.explaining import Explainer
from dbgate_broker.gateway import descriptors
from dbgate_broker.gateway.limits import Limits
from dbgate_broker.gateway.server import Gateway
from dbgate_broker.guards import ConnectionGuards, record_reading
from dbgate_broker.identity import Authenticator
from dbgate_broker.live_policies import LivePolicies
from dbgate_broker.masking_keys import newest_key
from dbgate_broker.notifications.reading import channels
from dbgate_broker.notifications.service import Announcing, Notifier
from dbgate_broker.policies import read_policies
from dbgate_broker.sessions.estimating import estimated_rows
from dbgate_broker.sessions.holding import Holding
from dbgate_broker.sessions.requests import Requests
from dbgate_broker.sessions.service import Sessions, utc_now
from dbgate_broker.store import figures
from dbgate_broker.store.engine import open_store
from dbgate_broker.telemetry.guard import Sampler
from dbgate_broker.telemetry.metrics import Metrics, Sources
from dbgate_broker.telemetry.readiness import Readiness, demand_room
from dbgate_broker.telemetry.seams import tracing
from dbgate_broker.telemetry.tally import Tallies
from dbgate_core import native
from dbgate_core.contract import Discovery
from dbgate_core.errors import UsageError
from dbgate_core.sql.analyse import analyse

Drain = Callable[[], Awaitable[bool]]
"""Lets what runs end, within its limit; False when something still ran."""

log = logging.getLogger(__name__)


class Started(NamedTuple):
    """What a running broker can be told; `reload` is false when the policies stay as they were."""

    drain: Drain
    reload: Callable[[], Awaitable[bool]]


def check(config: Config) -> None:
    """Read all that the configuration names, without starting. Raises UsageError for what is wrong."""
    read_policies(config.policy_directory)
    for database in config.databases:
        review_of(database)
    channels(config.notifications, config.databases)
    Authenticator(config.issuers)
    tls_context(config.listen)


async def start(config: Config, stack: AsyncExitStack) -> Started:
    """Start every part; `stack` stops them, the last first.

    The log is opened first and closed last, since everything else writes to it; the API, which
    lets people in, comes last and goes first. Gives what drains the broker before that, and what reads the policies again.
    """
    tls = tls_context(config.listen)
    first = read_policies(config.policy_directory)
    key = newest_key(config.masking_key_file)
    audit = AuditLog.open(config.audit)
    stack.callback(audit.close)
    store = open_store(config.state_url)
    stack.callback(store.close)
    tallies = Tallies()
    notifier = await _notifier(config, audit, tallies)
    stack.push_async_callback(notifier.stop)
    telling = Announcing(audit, notifier.announce)
    provider = VaultProvider(config.vault)
    stack.push_async_callback(provider.close)

    policies = LivePolicies(config.policy_directory, first, audit)

    def state() -> dict[str, str]:
        return {"version": version("dbgate"), "policy": policies.version}

    audit.append("broker_started", {**state(), "masking_key": key.version})
    stack.callback(lambda: audit.append("broker_stopped", state()))

    sampler = Sampler()
    sampling = asyncio.create_task(sampler.run(), name="sampler")
    stack.callback(sampling.cancel)
    classifier = Classifier(config.databases, store, telling, utc_now)
    catalogs = CatalogService(
        announce=lambda *reading: record_reading(audit, *reading),
        knows=classifier,
        keep_s=IDLE_S,
    )
    stack.callback(catalogs.close)
    traces = tracing(config.telemetry.otlp_endpoint)
    if traces is not None:
        stack.callback(traces.close)
    requests = Requests(config, store, policies, telling, analyse)
    holding = Holding(requests, estimated_rows)
    stack.push_async_callback(holding.stop)
    guards = ConnectionGuards(
        catalogs, policies, audit, key, holding, tallies, sampler, traces, notifier.announce
    )
    of_sessions = telling if traces is None else traces.of_sessions(telling)
    sessions = Sessions(config, store, provider, policies, of_sessions, guards)
    room = descriptors.make_room(Limits().connections)
    limits = Limits(connections=room)
    gateway = Gateway(sessions, tls, limits=limits, on_failure=tallies.connection_failed)
    stack.push_async_callback(gateway.stop)
    await sessions.start()
    stack.push_async_callback(sessions.stop)
    classifier.start(sessions.borrow, guards.reclassified)
    stack.push_async_callback(classifier.stop)
    port = await gateway.start(config.listen.host, config.listen.gateway_port)
    readiness = Readiness(
        {
            "store": lambda: store.call(figures.now),
            "log": lambda: demand_room(config.audit.directory),
            "vault": provider.look,
        }
    )
    sources = Sources(
        version=version("dbgate"),
        policy=lambda: policies.version,
        tallies=tallies,
        sessions=lambda: sessions.live,
        gateway=lambda: (gateway.connections, gateway.most_connections),
        catalogs=lambda: catalogs.readings,
        log=audit,
        log_folder=config.audit.directory,
        store=store,
        readiness=readiness,
    )
    app = build(
        authenticator=Authenticator(config.issuers),
        sessions=sessions,
        requests=requests,
        classes=classifier,
        explaining=Explainer(config, policies, catalogs, audit, store),
        audit=audit,
        policies=policies,
        discovery=_discovery(config, port, audit.public_key),
        readiness=readiness,
        counted=tallies,
        scrape=scrape(config.telemetry, Metrics(sources)),
        recorder=audit,
    )
    api = ApiServer(app, tls_context(config.listen))
    stack.push_async_callback(api.stop)
    api_port = await api.start(config.listen.host, config.listen.api_port)
    level = logging.INFO if native.COMPILED else logging.WARNING
    log.log(level, "compiled module %s%s", native.STATE, native.HINT and f": {native.HINT}")
    log.info("API on %s:%d, gateway on port %d", config.listen.host, api_port, port)

    async def drain() -> bool:
        readiness.draining = True
        return await sessions.drain(config.sessions.drain_s)

    async def reload() -> bool:
        return all([await policies.reload(), await classifier.reload()])

    return Started(drain, reload)


async def _notifier(config: Config, audit: AuditLog, tallies: Tallies) -> Notifier:
    """Who tells the channels, of a log that fails as well. Raises UsageError."""
    found = await asyncio.to_thread(channels, config.notifications, config.databases)
    notifier = Notifier(found, audit, tallies.notifications)
    audit.on_failure = notifier.log_failed
    return notifier


def tls_context(listen: ListenConfig) -> ssl.SSLContext:
    """The server's side of TLS 1.2 or newer. Raises UsageError for unusable files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listen.tls_certificate, listen.tls_key)
    except (OSError, ssl.SSLError) as exc:
        raise UsageError(
            f"cannot use the TLS certificate {listen.tls_certificate}: {exc.strerror or exc}",
            hint="listen.tls_certificate and listen.tls_key name PEM files that belong together",
        ) from exc
    return context


def _discovery(config: Config, gateway_port: int, audit_public_key: str) -> Discovery:
    """What a CLI is told. The first issuer with a client id is where people sign in."""
    issuer = next((i for i in config.issuers if i.client_id), config.issuers[0])
    return Discovery(
        version=version("dbgate"),
        issuer=issuer.url,
        client_id=issuer.client_id or issuer.audience,
        gateway_host=config.listen.public_host or config.listen.host,
        gateway_port=gateway_port,
        audit_public_key=audit_public_key,
        developer_mode=config.developer_mode,
    )
