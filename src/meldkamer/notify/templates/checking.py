"""Whether words that an office wrote may go out: names known, nothing left out that must be said.

Pure: it reads the catalogue and no table. A fault refuses; a finding of `mild` warns, and is
accepted by saving again. Every refusal that a clause asks for names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meldkamer.notify.templates.catalogue import Words
from meldkamer.notify.templates.models import BODY_MOST, SUBJECT_MOST
from meldkamer.notify.templates.own import pieces
from meldkamer.notify.templates.parts import parts

#: more parts than this are refused for a text: no carrier takes them as one message everywhere
PARTS_MOST = 6
PARTS_MANY = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the words. code: a sentence of the screen; numbers: what it names."""

    code: str
    place: str = "body"
    clause: str = ""
    numbers: Mapping[str, object] = field(default_factory=dict)
    mild: bool = False


def check(words: Words, subject: str, body: str, *, has_phone: bool) -> list[Finding]:
    """All that is wrong with own words of a message; empty: they may go out.

    has_phone: whether the provider has a number to call; without one a text cannot tell it.
    """
    found = _limits(words, subject, body)
    names: dict[str, set[str]] = {}
    for place, text in (("subject", subject), ("body", body)):
        try:
            names[place] = {name for _, name in pieces(text) if name}
        except ValueError:
            found.append(Finding("braces", place))
            continue
        strange = sorted(names[place] - set(words.facts))
        allowed = ", ".join(f"{{{name}}}" for name in words.facts)
        found += [
            Finding("unknown_name", place, numbers={"name": f"{{{name}}}", "allowed": allowed})
            for name in strange
        ]
    if "body" in names:
        found += _left_out(words, names["body"], body, has_phone=has_phone)
    return found


def _limits(words: Words, subject: str, body: str) -> list[Finding]:
    found = []
    if not body.strip():
        found.append(Finding("empty"))
    if words.subject and not subject.strip():
        found.append(Finding("empty", "subject"))
    if "\n" in subject or "\r" in subject:
        found.append(Finding("lines", "subject"))
    if len(subject) > SUBJECT_MOST:
        found.append(Finding("long", "subject", numbers={"most": SUBJECT_MOST}))
    if len(body) > BODY_MOST:
        found.append(Finding("long", numbers={"most": BODY_MOST}))
    for place, text in (("subject", subject), ("body", body)):
        if any(ord(char) < 32 and char not in "\n\t" for char in text):
            found.append(Finding("control", place))
    return found


def _left_out(words: Words, names: set[str], body: str, *, has_phone: bool) -> list[Finding]:
    found = []
    for name, clause in words.needs.items():
        if name in names:
            continue
        if name == "phone" and not has_phone:
            found.append(Finding("no_number", clause=clause, mild=True))
        else:
            found.append(Finding("left_out", clause=clause, numbers={"name": f"{{{name}}}"}))
    said = body.casefold().replace("{", " {").split()
    plain = {word.strip(".,;:!?\"'«»„“”()") for word in said}
    for word, clause in words.says.items():
        if word not in plain:
            found.append(Finding("not_said", clause=clause, numbers={"word": word}))
    if "phone" in names and not has_phone:
        found.append(Finding("phone_missing", clause="S12.1"))
    return found


def check_length(words: Words, example: str) -> list[Finding]:
    """How long a text gets with the facts of an example; only texts are counted in parts."""
    if words.channel != "sms":
        return []
    count = parts(example).count
    if count > PARTS_MOST:
        return [Finding("too_many_parts", numbers={"parts": count, "most": PARTS_MOST})]
    if count > PARTS_MANY:
        return [Finding("many_parts", numbers={"parts": count}, mild=True)]
    return []
