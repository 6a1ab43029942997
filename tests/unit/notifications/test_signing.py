"""The signature of Standard Webhooks, computed here by other means than there."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from dbgate_broker.notifications.signing import key_of, new_key, signed

BODY = b'{"type":"x"}'


def test_the_signature_is_the_specification_s() -> None:
    raw = bytes(range(32))
    headers = dict(signed(key_of("whsec_" + base64.b64encode(raw).decode()), "msg_1", 17, BODY))
    expected = hmac.new(raw, b'msg_1.17.{"type":"x"}', hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "17",
        "webhook-signature": "v1," + base64.b64encode(expected).decode(),
    }


def test_id_time_and_body_are_all_signed() -> None:
    key = key_of(new_key())
    signatures = {
        dict(signed(key, *which))["webhook-signature"]
        for which in [("a", 1, b"x"), ("b", 1, b"x"), ("a", 2, b"x"), ("a", 1, b"y")]
    }
    assert len(signatures) == 4


def test_a_new_key_is_one() -> None:
    assert new_key() != new_key()
    assert repr(key_of(new_key())) == "***"


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "not base64!", "A" * 200])
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|bytes") as caught:
        key_of(text)
    assert not text or text not in str(caught.value)
