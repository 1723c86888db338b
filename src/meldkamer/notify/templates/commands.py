"""The only writer of an office's words: a new version, or back to the shipped ones (M12.3)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.notify.templates import own
from meldkamer.notify.templates.catalogue import CATALOGUE
from meldkamer.notify.templates.checking import Finding, check, check_length
from meldkamer.notify.templates.examples import example_facts
from meldkamer.notify.templates.models import MessageTemplate
from meldkamer.notify.templates.queries import newest
from meldkamer.notify.templates.rendering import rendered
from meldkamer.sites.models import Provider

# what an office decided about its messages is kept in writing, like a change of the sheet
_CLAUSE = "M12.3"


class WordsRefused(ValueError):
    """Nothing was stored; `findings` has all that is wrong with the words."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(f"{found.place}: {found.code}" for found in findings))
        self.findings = findings


class Overtaken(ValueError):
    """Somebody else wrote a version meanwhile: nothing was stored."""


def look_at(provider: Provider, key: str, language: str, subject: str, body: str) -> list[Finding]:
    """All that is wrong with words before they are kept."""
    words = CATALOGUE[key]
    found = check(words, subject, body, has_phone=bool(provider.emergency_phone))
    if any(not finding.mild for finding in found):
        return found
    shown = rendered(key, language, subject, body, example_facts(words, provider))
    return found + check_length(words, shown[1])


@transaction.atomic
def write_words(
    provider: Provider,
    key: str,
    language: str,
    subject: str,
    body: str,
    now: datetime,
    actor: str,
    *,
    seen: int,
    accepted: bool = False,
) -> MessageTemplate:
    """A new version of a message's words. `seen` is the version that the writer had before him.

    accepted: he saw the warnings. Raises WordsRefused with all findings, Overtaken when `seen` is
    not the newest any more.
    """
    subject = subject.strip() if CATALOGUE[key].subject else ""
    body = body.replace("\r\n", "\n").strip()
    findings = look_at(provider, key, language, subject, body)
    if [found for found in findings if not (found.mild and accepted)]:
        raise WordsRefused(findings)
    return _add(provider, key, language, now, actor, seen, subject=subject, body=body)


@transaction.atomic
def back_to_shipped(
    provider: Provider, key: str, language: str, now: datetime, actor: str, *, seen: int
) -> MessageTemplate:
    """From now on the shipped words again; the office's stay in the history."""
    return _add(provider, key, language, now, actor, seen, shipped=True)


def _add(
    provider: Provider,
    key: str,
    language: str,
    now: datetime,
    actor: str,
    seen: int,
    *,
    subject: str = "",
    body: str = "",
    shipped: bool = False,
) -> MessageTemplate:
    # one at a time per provider: the versions of a message have no gap and no fork
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    before = newest(provider.pk, key, language)
    number = before.version if before else 0
    if number != seen:
        raise Overtaken(f"version {number} is the newest, version {seen} was read")
    row = MessageTemplate.objects.create(
        provider=provider,
        key=key,
        language=language,
        version=number + 1,
        subject=subject,
        body=body,
        shipped=shipped,
        made_by=actor,
        made_at=now,
    )
    journal.write(
        "message.reworded",
        now,
        provider_id=provider.pk,
        clause=_CLAUSE,
        actor=actor,
        data={"message": key, "language": language, "version": row.version, "shipped": shipped},
    )
    transaction.on_commit(own.forget)
    return row
