"""The compiled glance answers as its reference does."""

from __future__ import annotations

from hypothesis import given, settings

from dbgate_core.classify.glance import worth_reading
from tests.unit.native.texts import TEXTS
from tests.unit.native.twins import compiled

quick = compiled().worth_reading


@settings(max_examples=2_000, deadline=None)
@given(TEXTS)
def test_texts_are_looked_at_alike(text: bytes) -> None:
    assert quick(text) is worth_reading(text)
