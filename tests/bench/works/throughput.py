"""Short statements from many clients at once: transactions a second, as ratios to the peers'."""

from __future__ import annotations

from tests.bench import pgbench
from tests.bench.peers import BOUNCER, HAPROXY
from tests.bench.stack import DBGATE, DIRECT_TLS, Bench
from tests.bench.work import Figures, Goal, Line, Taken, Work, median, ratio

OF_A_PEER = Goal(0.9, at_least=True)
CLIENTS = (8, 32)
ROUTES = (DIRECT_TLS, BOUNCER, HAPROXY, DBGATE)


def _work(mode: str, clients: int) -> Work:
    what = f"select-only {mode}, {clients} clients: transactions/s"

    def take(bench: Bench, subject: str) -> Figures:
        route, seconds = bench.route(subject), bench.effort.seconds
        return {"tps": pgbench.transactions_per_s(route, mode, clients, seconds)}

    def lines(taken: Taken) -> list[Line]:
        beside = {name: median(taken, name, "tps") for name in (DBGATE, DIRECT_TLS)}
        return [
            Line(
                f"{what} / {peer}",
                ratio(taken, DBGATE, peer, "tps"),
                "x",
                OF_A_PEER,
                beside | {peer: median(taken, peer, "tps")},
            )
            for peer in (BOUNCER, HAPROXY)
        ]

    return Work(f"throughput-{mode}-{clients}", ROUTES, take, lines)


WORKS = tuple(_work(mode, clients) for mode in pgbench.MODES for clients in CLIENTS)
