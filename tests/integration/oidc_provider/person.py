"""A person with a browser: `person.py URL` follows redirects, keeps cookies, fills in forms.

PERSON is who signs in; CONSENT=no says no where the provider asks.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

MAX_PAGES = 12
TIMEOUT_S = 10.0


@dataclass
class Form:
    """The form of a page: where it goes, and what stands in it."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    found: bool = False


class Reader(HTMLParser):
    """Finds the first form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.form = Form()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and not self.form.found:
            self.form.action, self.form.found = values.get("action", ""), True
        elif tag == "input" and values.get("name"):
            self.form.fields[values["name"]] = values.get("value", "")


def browse(url: str, person: str, consent: str = "yes") -> str:
    """Go where `url` leads, as `person`; give the text of the last page."""
    answers, refused = {"login": person, "consent": consent}, False
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    data: bytes | None = None
    for _ in range(MAX_PAGES):
        try:
            reply = opener.open(url, data, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as exc:
            return str(exc.read(), "utf-8")
        with reply:
            text, url = str(reply.read(), "utf-8"), reply.url
        reader = Reader()
        reader.feed(text)
        if refused or not reader.form.found:
            return text
        fields = reader.form.fields
        filled = {name: answers.get(name) or value for name, value in fields.items()}
        if "user_code" in fields:
            refused = consent == "no"
            filled |= {"abort": "yes"} if refused else {"confirm": "yes"}
        url = urljoin(url, reader.form.action)
        data = urlencode(filled).encode()
    raise RuntimeError("the forms do not end")


if __name__ == "__main__":
    browse(sys.argv[1], os.environ["PERSON"], os.environ.get("CONSENT", "yes"))
