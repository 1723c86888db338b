"""The codes that a patrol needs at a site, of its gate or key box: sealed, the only writer (S6.1).

Never: a code in a log, a message, an exception or the journal; what is journaled is that one was
entered, replaced, removed or shown. Identification codes of persons are something else
(`people.codes`): nobody needs to read those again.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.sites import sealing
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Site, SiteCode

LONGEST = 24
_PURPOSE = b"site code"


@transaction.atomic
def put(site: Site, kind: str, code: str, sealing_key: bytes, now: datetime, actor: str) -> None:
    """Enter a code, or another one in its place. Refused, without repeating it, for no code."""
    text = code.strip()
    if kind not in SiteCode.Kind.values:
        raise Refused([Fault("kind", "site_code_kind", "unknown kind of code", "S6.1", {})])
    if not 1 <= len(text) <= LONGEST or not text.isprintable():
        reason = f"expected 1 to {LONGEST} characters"
        raise Refused([Fault("code", "site_code_length", reason, "S6.1", {"most": LONGEST})])
    sealed = sealing.seal(text.encode(), sealing_key, _PURPOSE)
    _, new = SiteCode.objects.update_or_create(
        site=site, kind=kind, defaults={"sealed": sealed, "entered_at": now}
    )
    _tell("site_code.entered" if new else "site_code.replaced", site, kind, now, actor)


@transaction.atomic
def remove(site: Site, kind: str, now: datetime, actor: str) -> bool:
    """The site has no such code any more; False when it had none."""
    struck, _ = SiteCode.objects.filter(site=site, kind=kind).delete()
    if struck:
        _tell("site_code.removed", site, kind, now, actor)
    return bool(struck)


def opened(site_id: int, sealing_key: bytes) -> dict[str, str]:
    """The codes in the clear, by kind: for the unit on site alone, whose caller journals it."""
    return {
        row.kind: sealing.unseal(bytes(row.sealed), sealing_key, _PURPOSE).decode()
        for row in SiteCode.objects.filter(site_id=site_id).order_by("kind")
    }


def _tell(what: str, site: Site, kind: str, now: datetime, actor: str) -> None:
    journal.write(
        what, now, provider_id=site.provider_id, site_id=site.pk, clause="S22.1", actor=actor,
        data={"kind": kind},
    )  # fmt: skip
