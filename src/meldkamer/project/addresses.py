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
