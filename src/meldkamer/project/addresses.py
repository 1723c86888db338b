"""Addresses of the web that an installation may set: refused at start, never repeated."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def web_address(name: str, text: str) -> str:
    """`text` when it is empty or an http(s) address with a host.

    Raises ImproperlyConfigured with the variable's name alone: an address may hold a secret.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        good = False
    if not good or any(ord(sign) <= 32 for sign in text):
        raise ImproperlyConfigured(f"{name}: expected http://host/… or https://host/…")
    return text


def route_link(name: str, text: str) -> str:
    """`text` when it is a template of a link that a phone may open: `geo:` or `https:`.

    Raises ImproperlyConfigured for another one, and for one with words that are not put in.
    """
    text = text.strip() or "geo:{lat},{lon}?q={place}"
    try:
        text.format(lat="0", lon="0", place="x")
        good = text.startswith(("geo:", "https://"))
    except (KeyError, IndexError, ValueError):
        good = False
    if not good:
        raise ImproperlyConfigured(f"{name}: expected geo:… or https://… with {{lat}} and {{lon}}")
    return text
