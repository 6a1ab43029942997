"""`--database NAME=DSN`: what is taken, what is refused, and that no password is ever shown."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from dbgate_broker.dev import own
from dbgate_broker.dev.run import DevOptions, _targets, policies
from dbgate_core.errors import UsageError

PASSWORD = "s3cret-in-the-dsn"


@pytest.mark.parametrize(
    ("dsn", "tls"),
    [
        (f"postgresql://me:{PASSWORD}@127.0.0.1:5433/shop", "disable"),
        (f"host=localhost user=me password={PASSWORD} sslmode=prefer", "disable"),
        (f"postgresql://me:{PASSWORD}@[::1]/shop?sslmode=disable", "disable"),
        (f"postgresql://me:{PASSWORD}@db.example/shop?sslmode=verify-full", "verify-full"),
        (f"host=db.example password={PASSWORD} sslrootcert=system", "verify-full"),
    ],
)
def test_a_dsn_is_taken(dsn: str, tls: str) -> None:
    found = own.target("shop", dsn)
    assert found.tls == tls
    assert f"sslmode={tls}" in found.dsn.expose()
    assert PASSWORD not in repr(found)


def test_a_root_certificate_must_be_there(tmp_path: Path) -> None:
    root = tmp_path / "ca.pem"
    dsn = f"host=127.0.0.1 sslmode=verify-full sslrootcert={root}"
    with pytest.raises(UsageError, match="not there"):
        own.target("shop", dsn)
    root.write_text("x")
    assert own.target("shop", dsn).ca_file == root


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://me:{PASSWORD}@db.example/shop",
        f"postgresql://me:{PASSWORD}@db.example/shop?sslmode=disable",
        f"postgresql://me:{PASSWORD}@db.example/shop?sslmode=require",
        f"postgresql://me:{PASSWORD}@db.example/shop?sslmode=verify-ca",
        f"postgresql://me:{PASSWORD}@127.0.0.1/shop?sslmode=require",
        f"postgresql://me:{PASSWORD}@127.0.0.1.evil.example/shop",
        f"dbname=shop password={PASSWORD}",
        f"host=/run/postgresql password={PASSWORD}",
        f"host=a,b password={PASSWORD}",
        f"postgresql://me:{PASSWORD}@h/db?nonsense=1",
        f"host=127.0.0.1 password='{PASSWORD}",
        f"me:{PASSWORD}@nonsense",
    ],
)
def test_a_dsn_is_refused_with_the_next_move_and_without_its_password(dsn: str) -> None:
    with pytest.raises(UsageError) as caught:
        own.target("shop", dsn)
    assert caught.value.hint or "not there" in caught.value.message
    shown = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in shown


def test_names_may_not_meet() -> None:
    dsn = "host=127.0.0.1"
    assert len(_targets([("shop", dsn), ("mill", dsn)])) == 2
    for names in (["shop", "shop"], ["a-b", "a_b"], ["prod-db"], ["Dev_DB"]):
        with pytest.raises(UsageError):
            _targets([(name, dsn) for name in names])


def test_policies_are_shipped_ones_or_a_folder(tmp_path: Path) -> None:
    assert (policies("default") / "access.cedar").exists()
    assert policies("permissive").is_dir()
    assert policies(str(tmp_path)) == tmp_path
    with pytest.raises(UsageError, match="no folder"):
        policies(str(tmp_path / "none"))


def test_options_show_no_dsn() -> None:
    options = DevOptions(Path("/x"), [("shop", f"host=h password={PASSWORD}")])
    assert PASSWORD not in repr(options)
