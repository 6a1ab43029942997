"""The few pages of the issuer: who signs in, and does this device belong to you."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from dbgate_broker.dev.people import PEOPLE

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none';"
        " form-action 'self' http://127.0.0.1:* http://[::1]:*"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: the forms would then come with `Origin: null`, as a stranger's do.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """A page; `body` is HTML."""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1>{body}"
        "<p><small>dbgate developer mode: no passwords, not for production.</small></p></html>"
    )
    return HTMLResponse(text, status, HEADERS)


def message(title: str, text: str, status: int = 200) -> HTMLResponse:
    """A page that says something."""
    return page(title, f"<p>{escape(text)}</p>", status)


def choose_person(action: str, ticket: str, note: str = "") -> HTMLResponse:
    """One button a person; `ticket` proves that the form came from this page."""
    buttons = "".join(
        f'<p><button name="person" value="{escape(one.name)}">{escape(one.full_name)}</button>'
        f" {escape(', '.join(one.groups) or 'no groups')}</p>"
        for one in PEOPLE
    )
    shown = f"<p>{escape(note)}</p>" if note else ""
    return page(
        "Sign in to dbgate as",
        f'{shown}<form method="post" action="{escape(action)}">'
        f'<input type="hidden" name="ticket" value="{escape(ticket)}">{buttons}</form>',
    )


def enter_code(note: str = "") -> HTMLResponse:
    """Ask for the code that the other device shows."""
    shown = f"<p>{escape(note)}</p>" if note else ""
    return page(
        "Connect a device",
        f'{shown}<form method="get" action="/device"><label>The code on your device '
        '<input name="user_code" autocomplete="off" autofocus required maxlength="20"></label>'
        " <button>Go on</button></form>",
    )


def confirm_device(user_code: str, ticket: str) -> HTMLResponse:
    """Show the code and ask who, or nobody (RFC 8628, section 5.4: against remote phishing)."""
    deny = (
        f'<form method="post" action="/device"><input type="hidden" name="ticket" '
        f'value="{escape(ticket)}"><button name="person" value="">No, this is not mine</button></form>'
    )
    asked = choose_person(
        "/device",
        ticket,
        f"A device shows the code {user_code}. Go on only if it is yours and shows the same.",
    )
    text = bytes(asked.body).decode().replace("</form>", f"</form>{deny}", 1)
    return HTMLResponse(text, 200, HEADERS)
