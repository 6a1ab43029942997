"""The entry: finds the one command that is meant, imports it alone, and turns errors into exit codes.

`dbgate --help` and `--version` import nothing but this file: the command table below is the help.
`main()` alone exits.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from dbgate_cli import VERSION

if TYPE_CHECKING:
    import typer

SECTIONS: Final = (
    ("Sign in", (
        ("login", "login", "Sign in through single sign-on."),
        ("logout", "logout", "Forget the login."),
        ("whoami", "whoami", "Show who the broker takes you for, and where the login is kept."),
    )),
    ("Use a database", (
        ("databases", "databases", "List the databases, and how you stand to them."),
        ("connect", "connect", "Open a database in psql, or as a local port for any client."),
        ("exec", "exec_", "Run a program with DATABASE_URL and PG* set."),
        ("query", "query", "Run one statement: as a table, JSON or CSV."),
    )),
    ("Approvals", (
        ("request-approval", "request_approval", "Ask for access, or for one exact statement."),
        ("requests", "requests", "List, show and withdraw access requests."),
        ("approve", "votes", "Approve another person's request."),
        ("deny", "votes", "Deny another person's request."),
    )),
    ("Watch", (
        ("sessions", "sessions", "List, show and kill sessions."),
        ("audit", "audit", "Search, show and verify the audit log."),
    )),
    ("Policy", (
        ("policy", "policy", "Check, try and explain policies."),
    )),
    ("Run it", (
        ("serve", "serve", "Run a broker."),
        ("dev", "dev", "Run everything on this machine, with nothing to configure."),
        ("doctor", "doctor", "Check this machine's way to the broker, and say what to do."),
        ("completion", "completion", "Print the completion script of a shell."),
    )),
)  # fmt: skip
"""What there is: section, then command, its module in `commands`, its line of help."""

MODULES: Final = {name: module for _, rows in SECTIONS for name, module, _ in rows}
SUMMARIES: Final = {name: summary for _, rows in SECTIONS for name, _, summary in rows}
WAITING: Final = frozenset({"connect", "exec", "query", "request-approval"})
"""Commands with `--wait[=DURATION]`."""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Run one command line; give its exit code (README, "Exit codes"). Never raises."""
    debug = "--debug" in argv[:1]
    rest = list(argv[1:] if debug else argv)
    if rest[:1] in (["--version"], ["-V"]):
        print(f"dbgate {VERSION}")
        return 0
    if rest[:1] in (["--help"], ["-h"]):
        sys.stdout.write(top_help())
        return 0
    if not rest:
        sys.stderr.write(top_help())
        return 2
    try:
        code = dispatch(rest)
        sys.stdout.flush()
    except BaseException as exc:
        if debug:
            import traceback

            traceback.print_exc()
        return explain(exc)
    return code


def top_help() -> str:
    """The help of `dbgate` itself."""
    lines = ["Usage: dbgate [--debug] COMMAND [ARGS]...", ""]
    lines += ["An access broker for databases: your tools, your identity, no passwords.", ""]
    for title, rows in SECTIONS:
        lines += [f"{title}:", *(f"  {name:<18}{summary}" for name, _, summary in rows), ""]
    lines += [
        "Options:",
        "  --debug           Show the stack of an error. Goes before the command.",
        "  -V, --version     Show the version.",
        "  -h, --help        Show this; after a command, that command's help and an example.",
        "",
        "Environment:",
        "  DBGATE_BROKER, DBGATE_CA_FILE           the broker's URL, and its CA as a PEM file",
        "  DBGATE_ID_TOKEN, DBGATE_ID_TOKEN_FILE   a job's own OIDC token, instead of a login",
        "  DBGATE_HOME                             where settings are (default ~/.config/dbgate)",
        "",
        "Example: dbgate connect prod-db -- -c 'select 1'",
    ]
    return "\n".join(lines) + "\n"


def dispatch(argv: Sequence[str]) -> int:
    """Import the command's module, let typer read the rest, run it.

    `whoami`, which scripts and prompts call often, takes less time than typer's import: it goes
    past typer unless there is something to read.
    """
    name = argv[0]
    if list(argv) in (["whoami"], ["whoami", "--json"]):
        from dbgate_cli.whoami import show

        show(json=len(argv) == 2)
        return 0
    if name in WAITING:
        argv = [name, *bare_wait(argv[1:])]
    application = build([name] if name in MODULES else list(MODULES))
    result = application(args=list(argv), prog_name="dbgate", standalone_mode=False)
    return result if isinstance(result, int) else 0


def build(names: Sequence[str]) -> typer.Typer:
    """The typer application with some of the commands, or all of them."""
    import importlib

    import typer

    application = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="An access broker for databases: your tools, your identity, no passwords.",
    )

    @application.callback()
    def dbgate() -> None:
        pass

    for name in dict.fromkeys(MODULES[name] for name in names):
        importlib.import_module(f"dbgate_cli.commands.{name}").register(application)
    return application


def bare_wait(argv: Sequence[str]) -> list[str]:
    """Write `--wait` without a duration as typer can read it; what follows `--` is the child's."""
    end = argv.index("--") if "--" in argv else len(argv)
    own = ["--wait=until-decided" if arg == "--wait" else arg for arg in argv[:end]]
    return [*own, *argv[end:]]


def explain(exc: BaseException) -> int:
    """Say on standard error what went wrong; give the exit code."""
    from dbgate_cli.console import failure
    from dbgate_cli.signals import Interrupted
    from dbgate_core.errors import DbgateError

    if isinstance(exc, DbgateError):
        text = exc.message + (f" (rule {exc.rule})" if exc.rule else "")
        failure(text, exc.hint)
        return exc.exit_code
    if isinstance(exc, Interrupted):
        return 128 + exc.number
    if isinstance(exc, SystemExit):
        return exc.code if isinstance(exc.code, int) else 1
    if isinstance(exc, BrokenPipeError):
        return _broken_pipe()
    if isinstance(exc, KeyboardInterrupt) or type(exc).__name__ == "Abort":
        sys.stderr.write("\n")
        return 130
    usage = getattr(exc, "format_message", None)
    if usage is not None and hasattr(exc, "exit_code"):
        context = getattr(exc, "ctx", None)
        path = getattr(context, "command_path", "dbgate")
        failure(_lower(str(usage())), f"{path} --help")
        return 2
    failure(f"unexpected: {type(exc).__name__}: {exc}", "run it as: dbgate --debug ...")
    return 1


def _lower(text: str) -> str:
    """Typer's sentence in the style of ours."""
    text = text.replace(" Value error, ", " ")
    return (text[:1].lower() + text[1:]).rstrip(".")


def _broken_pipe() -> int:
    """The reader of standard output went away: end quietly, as if SIGPIPE had been taken."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


if __name__ == "__main__":
    main()
