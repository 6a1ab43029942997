"""docs/configuration.md names every key of the configuration, with its default, and no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dbgate_broker import config
from dbgate_broker.identity import Authenticator
from dbgate_core.errors import UsageError

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "Top level": config.Config,
    "`[listen]`": config.ListenConfig,
    "`[[issuers]]`": config.IssuerConfig,
    "`[[issuers.principals]]`": config.PrincipalRule,
    "`[vault]`": config.VaultConfig,
    "`[[databases]]`": config.DatabaseConfig,
    "`[[databases.access_roles]]`": config.AccessRoleConfig,
    "`[audit]`": config.AuditConfig,
    "`[sessions]`": config.SessionConfig,
    "`[telemetry]`": config.TelemetryConfig,
    "`[[notifications]]`": config.NotificationConfig,
}
ROW = re.compile(r"^\| `(\w+)` \| (?:`([^|]*)`|(\w+)) \| [^|]+ \|$", re.MULTILINE)


def documented() -> dict[str, dict[str, str]]:
    """The keys of each section's table, with their defaults as written."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {
        title: {key: value or word for key, value, word in ROW.findall(text)}
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def default(field: msgspec.structs.FieldInfo) -> Any:
    """A field's default, as TOML would say it; `required` or `none` else."""
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    if isinstance(value, msgspec.Struct):
        return {}
    return "none" if value is None else list(value) if isinstance(value, tuple) else value


def test_every_section_is_documented() -> None:
    structs = {
        one
        for one in vars(config).values()
        if isinstance(one, type) and issubclass(one, msgspec.Struct) and one.__name__ != "_Section"
    }
    assert set(documented()) == set(SECTIONS)
    assert set(SECTIONS.values()) == structs


@pytest.mark.parametrize("title", SECTIONS)
def test_every_key_is_documented_with_its_default(title: str) -> None:
    written = documented()[title]
    fields = {field.name: default(field) for field in msgspec.structs.fields(SECTIONS[title])}
    assert sorted(written) == sorted(fields)
    for name, value in fields.items():
        said = written[name]
        if value not in ("required", "none"):
            assert tomllib.loads(f"x = {said}")["x"] == value, name
        else:
            assert said == value, name


def example() -> str:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "broker.toml"
    file.write_text(example())
    loaded = config.load(file)
    assert loaded.policy_directory == tmp_path / "policies"
    assert [rule.kind for issuer in loaded.issuers for rule in issuer.principals] == [
        "Agent",
        "Workload",
    ]
    Authenticator(loaded.issuers)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ("surprise = 1\n", "surprise"),
        ("developer_mode = 'yes'\n", "developer_mode"),
        ("masking_key_file = 7\n", "masking_key_file"),
        ("= 1\n", "broker.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, wrong: str, names: str) -> None:
    key = wrong.partition(" ")[0]
    file = tmp_path / "broker.toml"
    rest = "".join(line for line in example().splitlines(True) if not line.startswith(f"{key} ="))
    file.write_text(wrong + rest)
    with pytest.raises(UsageError, match=names):
        config.load(file)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        config.load(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"binary\.toml"):
        config.load(tmp_path / "binary.toml")
