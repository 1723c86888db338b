"""Words and facts into the text that goes out.

Called while signals are judged, a hundred thousand a minute in a storm: it asks the database
nothing (see `own.words_of`). It never fails for a template that an office wrote: then the shipped
words go out.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import override

from meldkamer.notify.templates import own
from meldkamer.notify.templates.catalogue import CALL, CATALOGUE, TYPE_WORDS, ZONE


def render(
    template: str, language: str, facts: Mapping[str, object], provider_id: int | None = None
) -> tuple[str, str]:
    """Subject and body of a message in a language.

    facts: provider, site, type, zone ("" when unknown), and what the template names besides.
    provider_id: whose words; without one, and where his office wrote none, the shipped ones.
    """
    with override(language):
        values = _values(facts)
        words = own.words_of(provider_id, template, language)
        if words is not None and (found := words.filled(values)) is not None:
            return found
        subject, body = shipped(template, phone=bool(facts.get("phone")))
        return subject.format(**values), body.format(**values)


def rendered(
    template: str, language: str, subject: str, body: str, facts: Mapping[str, object]
) -> tuple[str, str]:
    """Words that are not kept yet, with facts, as they would go out; ValueError for bad braces."""
    words = own.OwnWords(own.pieces(subject), own.pieces(body))
    with override(language):
        found = words.filled(_values(facts))
        if found is not None:
            return found
    return render(template, language, facts)


def shipped(template: str, *, phone: bool = True) -> tuple[str, str]:
    """The shipped words of a message in the active language, with their placeholders.

    phone: whether the provider has a number to call, which a text then tells (S12.1).
    """
    words = CATALOGUE[template]
    subject = _(words.subject) if words.subject else ""
    if words.call and phone:
        return "", _(words.body) + _(CALL)
    return subject, _(words.body)


def _values(facts: Mapping[str, object]) -> dict[str, object]:
    """What stands for each placeholder, in the active language."""
    kind = str(facts.get("type", ""))
    zone = str(facts.get("zone") or "")
    return {
        "count": "",
        "code": "",
        **facts,
        "type": _(TYPE_WORDS[kind]) if kind in TYPE_WORDS else kind,
        "zone": _(ZONE).format(zone=zone) if zone else "",
        "types": _listed(facts.get("types")),
    }


def _listed(types: object) -> str:
    """Types as a reader says them."""
    named = types if isinstance(types, (list, tuple)) else ()
    return ", ".join(_(TYPE_WORDS[kind]) for kind in named if kind in TYPE_WORDS)
