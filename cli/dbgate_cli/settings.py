"""Where the command line keeps its things, and which broker it talks to.

The environment comes first, then `$DBGATE_HOME/config.toml` (keys `broker`, `ca_file`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dbgate_core.errors import UsageError
from dbgate_core.secret import Secret

CONFIG_NAME: Final = "config.toml"
KEYS: Final = frozenset({"broker", "ca_file"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The command line's settings. `broker` is an https URL without a trailing slash, or empty.

    `ca_file` is the PEM file of the broker's certificate authority, None for the system's.
    `id_token` and `id_token_file` are a job's own identity: they replace a login.
    """

    home: Path
    broker: str = ""
    ca_file: Path | None = None
    id_token: Secret | None = None
    id_token_file: Path | None = None

    def require_broker(self) -> str:
        """Give the broker's URL. Raises UsageError when none is set or it is not https."""
        if not self.broker:
            raise UsageError(
                "no broker is configured",
                hint=f'set DBGATE_BROKER to its URL, or write broker = "https://..." into {self.home / CONFIG_NAME}',
            )
        if not self.broker.startswith("https://"):
            raise UsageError(
                f"the broker's URL must start with https://, and is {self.broker}",
                hint="tokens are sent over TLS only",
            )
        return self.broker


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment and the profile file. Raises UsageError when either is malformed."""
    env = os.environ if environ is None else environ
    home = _home(env.get("DBGATE_HOME", ""))
    profile = _profile(home / CONFIG_NAME)
    token = env.get("DBGATE_ID_TOKEN", "").strip()
    token_file = env.get("DBGATE_ID_TOKEN_FILE")
    return Settings(
        home=home,
        broker=(env.get("DBGATE_BROKER") or profile.get("broker", "")).rstrip("/"),
        ca_file=_ca_file(home, env.get("DBGATE_CA_FILE", ""), profile.get("ca_file", "")),
        id_token=Secret(token) if token else None,
        id_token_file=Path(token_file) if token_file else None,
    )


def _home(text: str) -> Path:
    try:
        return Path(text).expanduser() if text else Path.home() / ".config" / "dbgate"
    except RuntimeError as exc:  # a user without an entry in passwd, as in containers
        raise UsageError(
            "this user has no home directory", hint="set DBGATE_HOME to a folder of its own"
        ) from exc


def _ca_file(home: Path, given: str, written: str) -> Path | None:
    """The environment's is relative to where we are, the profile's to the profile."""
    if given:
        return Path(given).expanduser()
    return home / Path(written).expanduser() if written else None


def save(settings: Settings, *, broker: str, ca_file: Path | None) -> Settings:
    """Write a profile to `config.toml`; give the settings it makes.

    Raises UsageError for text that TOML's basic strings cannot hold as it is.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [f"broker = {_quote(broker)}\n"]
    if ca_file is not None:
        ca_file = ca_file.expanduser().absolute()
        lines.append(f"ca_file = {_quote(str(ca_file))}\n")
    if not all(line.strip().isprintable() for line in lines):
        raise UsageError("control characters do not go into the profile")
    fresh = settings.home / f"{CONFIG_NAME}.new"
    fresh.write_text("".join(lines))
    fresh.replace(settings.home / CONFIG_NAME)
    return replace(settings, broker=broker.rstrip("/"), ca_file=ca_file)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _profile(path: Path) -> dict[str, str]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot read {path}: {exc}") from exc
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise UsageError(f"{path} is not valid TOML: {exc}") from exc
    unknown = sorted(values.keys() - KEYS)
    if unknown or not all(isinstance(value, str) for value in values.values()):
        wrong = ", ".join(unknown) or "a value that is no text"
        raise UsageError(f"{path}: {wrong}", hint=f"known keys: {', '.join(sorted(KEYS))}")
    return values
