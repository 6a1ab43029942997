"""Settings: the environment before the profile, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbgate_cli.settings import CONFIG_NAME, Settings, load, save
from dbgate_core.errors import UsageError


def profile(home: Path, text: str) -> dict[str, str]:
    home.mkdir(exist_ok=True)
    (home / CONFIG_NAME).write_text(text)
    return {"DBGATE_HOME": str(home)}


def test_the_environment_comes_first(tmp_path: Path) -> None:
    env = profile(tmp_path, 'broker = "https://a/"\nca_file = "ca.pem"\n')
    assert load(env).broker == "https://a"
    assert load(env).ca_file == tmp_path / "ca.pem"
    both = load(env | {"DBGATE_BROKER": "https://b", "DBGATE_CA_FILE": "/x.pem"})
    assert (both.broker, both.ca_file) == ("https://b", Path("/x.pem"))


def test_a_ca_file_of_the_environment_is_relative_to_where_we_are(tmp_path: Path) -> None:
    found = load({"DBGATE_HOME": str(tmp_path), "DBGATE_CA_FILE": "ca.pem"})
    assert found.ca_file == Path("ca.pem")


def test_tokens_of_the_environment_are_secrets(tmp_path: Path) -> None:
    found = load({"DBGATE_HOME": str(tmp_path), "DBGATE_ID_TOKEN": " a.b.c\n"})
    assert found.id_token is not None
    assert found.id_token.expose() == "a.b.c"
    assert "a.b.c" not in repr(found)
    assert load({"DBGATE_HOME": str(tmp_path), "DBGATE_ID_TOKEN": " "}).id_token is None


@pytest.mark.parametrize(
    "text", ['brokr = "https://a"', "broker = 5", "broker", 'broker = "https://a"\nca_file = true']
)
def test_a_malformed_profile_is_a_usage_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=CONFIG_NAME):
        load(profile(tmp_path, text))


@pytest.mark.parametrize("url", ["", "http://broker", "broker:8443", "ftp://x"])
def test_a_broker_is_https(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError):
        Settings(tmp_path, broker=url).require_broker()


@given(st.text(st.characters(codec="utf-8"), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_profile_is_read_as_it_was_written_or_not_written(tmp_path: Path, text: str) -> None:
    env = {"DBGATE_HOME": str(tmp_path)}
    before = load(env)
    url = f"https://{text}"
    try:
        made = save(before, broker=url, ca_file=None)
    except UsageError:
        assert load(env) == before
    else:
        assert load(env).broker == made.broker == url.rstrip("/")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    with pytest.raises(UsageError) as caught:
        load({})
    assert "DBGATE_HOME" in caught.value.hint
