"""The office's page of messages: which words hold, what they must say, how they look filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from meldkamer.notify.letterhead import letterhead_of
from meldkamer.notify.templates import TYPE_WORDS
from meldkamer.notify.templates import queries as templates
from meldkamer.notify.templates.catalogue import CATALOGUE, Words
from meldkamer.notify.templates.checking import Finding
from meldkamer.notify.templates.commands import look_at
from meldkamer.notify.templates.examples import example_facts
from meldkamer.notify.templates.parts import Parts, parts
from meldkamer.notify.templates.rendering import rendered, shipped
from meldkamer.office.wording import LANGUAGES
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider

Sentences = dict[str, "str | Promise"]
CHANNELS: Sentences = {
    "sms": _("Texts"),
    "app": _("App"),
    "mail": _("Mail and letters"),
    "voice": _("Announced calls"),
}
#: what stands for each name, as the office reads it
FACTS: Sentences = {
    "provider": _("the provider's name"),
    "phone": _("the number to call, day and night"),
    "site": _("the name of the site"),
    "type": _("the kind of alarm"),
    "zone": _("a comma and the zone; nothing when no zone is known"),
    "count": _("how many"),
    "code": _("the code that came"),
    "day": _("the day"),
    "lines": _("the lines of the report"),
    "types": _("the kinds of alarm"),
}
_FINDINGS: Sentences = {
    "empty": _("Fill this in."),
    "long": _("At most %(most)s characters."),
    "lines": _("A subject has one line."),
    "control": _("A character that is not shown is not text. Type it again."),
    "braces": _("Braces hold one name, as {site}. Write {{ and }} for braces themselves."),
    "unknown_name": _("%(name)s is not known here. Names of this message: %(allowed)s."),
    "left_out": _("%(name)s must stand in it."),
    "not_said": _("It must say what to answer: the word “%(word)s”."),
    "no_number": _("It tells no number to call: the provider has none on record."),
    "phone_missing": _("{phone} stays empty: the provider has no number on record. Take it out."),
    "many_parts": _("It goes as %(parts)s texts. A shorter one arrives sooner."),
    "too_many_parts": _("It would go as %(parts)s texts; up to %(most)s are possible."),
}


def sentence(finding: Finding) -> str:
    """What is wrong, in the reader's language, with its clause."""
    text = str(_FINDINGS[finding.code])
    text = text % finding.numbers if finding.numbers else text
    return f"{text} ({finding.clause})" if finding.clause else text


@dataclass(frozen=True, slots=True)
class Row:
    """One message of the list: its languages, each with the version that holds (0: shipped)."""

    key: str
    title: str
    clauses: str
    languages: tuple[tuple[str, int], ...]


def listing(provider: Provider) -> list[tuple[str, list[Row]]]:
    """Every message by channel, with what the provider's office made of it."""
    own = templates.changed(provider.pk)
    found: dict[str, list[Row]] = {}
    for key, words in CATALOGUE.items():
        versions = ((one, own.get((key, one))) for one in LANGUAGES)
        languages = tuple((one, row.version if row else 0) for one, row in versions)
        clauses = ", ".join(dict.fromkeys((*words.needs.values(), *words.says.values())))
        row = Row(key, _now(words.title), clauses, languages)
        found.setdefault(words.channel, []).append(row)
    return [(str(CHANNELS.get(channel, channel)), rows) for channel, rows in found.items()]


def facts_of(words: Words) -> list[tuple[str, str, str]]:
    """(name, what stands for it, clause that asks for it) of a message."""
    return [(name, str(FACTS.get(name, name)), words.needs.get(name, "")) for name in words.facts]


def shipped_words(key: str, language: str, provider: Provider) -> tuple[str, str]:
    """What is shipped, with its names, in the message's language."""
    with override(language):
        return shipped(key, phone=bool(provider.emergency_phone))


@dataclass(frozen=True, slots=True)
class Preview:
    """A message filled in with the facts of an example, and what is wrong with it."""

    subject: str
    body: str
    parts: Parts | None
    foot: Sequence[str]
    findings: Sequence[tuple[str, str, bool]]

    @property
    def blocked(self) -> bool:
        """Whether it cannot be saved as it is."""
        return any(not mild for _place, _words, mild in self.findings)


def preview(
    provider: Provider, key: str, language: str, subject: str, body: str, kind: str = ""
) -> Preview:
    """How typed words look. kind: the kind of alarm of the example."""
    words = CATALOGUE[key]
    found = look_at(provider, key, language, subject.strip(), body.replace("\r\n", "\n").strip())
    shown = ("", "")
    if not any(finding.code in ("braces", "unknown_name") for finding in found):
        facts = example_facts(words, provider)
        if kind in TYPE_WORDS and "type" in facts:
            facts["type"] = kind
        shown = rendered(key, language, subject, body.replace("\r\n", "\n").strip(), facts)
    by_paper = words.channel == "mail"
    return Preview(
        subject=shown[0],
        body=shown[1],
        parts=parts(shown[1]) if words.channel == "sms" and shown[1] else None,
        foot=letterhead_of(provider.pk).company_lines(language) if by_paper else (),
        findings=[(found.place, sentence(found), found.mild) for found in found],
    )


@dataclass(frozen=True, slots=True)
class Version:
    """One version in the history."""

    number: int
    shipped: bool
    subject: str
    body: str
    by: str
    at: datetime


def history(provider: Provider, key: str, language: str) -> list[Version]:
    """Every version, the newest first, with who made it."""
    rows = list(templates.history_of(provider.pk, key, language)[:50])
    names = _names([row.made_by for row in rows])
    return [
        Version(
            row.version, row.shipped, row.subject, row.body,
            names.get(row.made_by, row.made_by), row.made_at,
        )
        for row in rows
    ]  # fmt: skip


def _names(actors: Sequence[str]) -> dict[str, str]:
    """staff:7 → the person's name."""
    ids = [int(actor[6:]) for actor in actors if actor.startswith("staff:")]
    people = Staff.objects.filter(pk__in=ids)
    return {f"staff:{one.pk}": one.get_full_name() or one.username for one in people}


names_of = _names


def kinds() -> list[tuple[str, str]]:
    """The kinds of alarm that an example can be of."""
    return [(kind, _now(words)) for kind, words in TYPE_WORDS.items()]
