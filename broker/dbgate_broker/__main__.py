"""`dbgate-broker --config broker.toml`: one broker in the foreground."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from dbgate_broker.broker import check, serve
from dbgate_broker.config import load
from dbgate_core.errors import DbgateError

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(argv: Sequence[str] | None = None) -> None:
    """Run it; exits with the code of the error that ended it, else 0."""
    parser = argparse.ArgumentParser(
        prog="dbgate-broker",
        description=__doc__,
        epilog="example: dbgate-broker --config broker.toml",
    )
    parser.add_argument("--config", type=Path, required=True, help="the broker's TOML file")
    parser.add_argument("--check", action="store_true", help="only read it and say what is wrong")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # six lines a start
    try:
        config = load(options.config)
        check(config)
        if not options.check:
            uvloop.run(serve(config))
    except DbgateError as exc:
        print(f"dbgate: error: {exc.message}", file=sys.stderr)
        if exc.hint:
            print(f"dbgate: hint: {exc.hint}", file=sys.stderr)
        sys.exit(exc.exit_code)


if __name__ == "__main__":
    main()
