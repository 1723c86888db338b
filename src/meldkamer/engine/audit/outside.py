"""The sign of life to somebody outside: sent only while every check holds (a dead man's switch).

Why: a house that is on fire, cut off or stuck cannot say so; who waits outside for a sign that
does not come can. Never: wait for the network in the worker's loop, ask inside a transaction, or
write the address into a log, whose path is usually the secret. A sign that cannot be sent is
missed outside, which is what it is for.
"""

from __future__ import annotations

import logging
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from django.conf import settings

_WAIT_S = 5.0
_sending = threading.Lock()

log = logging.getLogger(__name__)


def say_all_holds() -> None:
    """Send the sign in a thread of its own; nothing when no address is set or one is on its way."""
    address: str = settings.MELDKAMER_ALIVE_URL
    if address and _sending.acquire(blocking=False):
        threading.Thread(target=_send, args=(address,), name="alive", daemon=True).start()


def _send(address: str) -> None:
    try:
        # the settings let http and https through, nothing else
        request = urllib.request.Request(address, headers={"User-Agent": "meldkamer"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=_WAIT_S):  # noqa: S310
            pass
    except urllib.error.HTTPError as fault:
        log.warning("the sign of life was refused by %s: %s", _host(address), fault.code)
    except (OSError, ValueError) as fault:
        log.warning("no sign of life to %s: %s", _host(address), type(fault).__name__)
    finally:
        _sending.release()


def _host(address: str) -> str:
    """All of an address that may be shown."""
    return urlsplit(address).hostname or "?"
