"""The signs of the house in templates: icons, classes, ages, clauses, keys.

Why: a sign is a shape, a word and a colour, in that order, and every page must draw the same one.
Never: decide anything; what is shown comes in as values. Office and console both load it.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.template import Context, defaultfilters
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from meldkamer.console import phones, timing, wording
from meldkamer.console.screens import explain
from meldkamer.console.wording import CLASSES, class_of
from meldkamer.notify import fault_words
from meldkamer.sites.models import Site

register = template.Library()
THEMES = ("dark", "light")
THEME_COOKIE = "meldkamer_theme"


@register.filter
def dated(moment: date | None, form: str) -> str:
    """A day in Django's letters (j M Y), its month small where the language writes it so."""
    return defaultfilters.date(moment, form.replace("M", timing.month()))


@register.filter
def fault(text: str) -> str:
    """What a carrier's fault says, in the language of the page."""
    return fault_words.said(text)


@register.simple_tag
def colon() -> str:
    """Between a name and what is said of it: French sets a blank before it that never breaks."""
    return "\N{NO-BREAK SPACE}: " if (get_language() or "").startswith("fr") else ": "


@register.simple_tag(takes_context=True)
def theme(context: Context) -> SafeString:
    """` data-theme="…"` for <html>; nothing while the device decides."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get(THEME_COOKIE, "") if request else ""
    return format_html(' data-theme="{}"', chosen) if chosen in THEMES else SafeString("")


@register.simple_tag
def icon(name: str, classes: str = "icon", label: str = "") -> SafeString:
    """A sign of the sprite; with a label it is an image that can be read aloud."""
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="#{}"/></svg>',
            classes, label, name,
        )  # fmt: skip
    return format_html('<svg class="{}" aria-hidden="true"><use href="#{}"/></svg>', classes, name)


@register.simple_tag
def job_row(job: object, open_id: int | None = None) -> SafeString:
    """A row of the queue. Rows that did not change are not drawn again, whoever looks."""
    here = open_id is not None and getattr(job, "id", None) == open_id
    return _drawn(job, here, get_language() or "")


@lru_cache(maxsize=4096)
def _drawn(job: object, here: bool, language: str) -> SafeString:
    """The row is all in the job's values; the language is in the key because of its words."""
    return render_to_string(
        "console/job.html", {"job": job, "open_id": getattr(job, "id", 0) if here else 0}
    )


@register.simple_tag
def class_sign(incident_type: str, size: str = "") -> SafeString:
    """The class sign of a type, with the class as its words."""
    klass = class_of(incident_type)
    return icon(f"sign-{klass}", f"sign {klass} {size}".strip(), str(CLASSES[klass]))


@register.simple_tag
def sla_sign(state: str) -> SafeString:
    """The pie of an age: ok, warn or late."""
    words = {
        "ok": gettext("on time"),
        "warn": gettext("past the norm"),
        "late": gettext("too late"),
    }
    return icon(f"sla-{state}", f"sla {state}", words[state]) if state in words else SafeString("")


@register.simple_tag
def key(name: str) -> SafeString:
    """A key cap."""
    return format_html("<kbd>{}</kbd>", name)


@register.simple_tag(takes_context=True)
def clause(context: Context, clause_id: str, entry: int = 0, step: str = "") -> SafeString:
    """A clause, dotted underlined, that opens its rule.

    Within an incident with the values that it was opened with; `entry` is a line of its course,
    `step` one of its steps. These have an id, so that the focus stays when they are drawn anew.
    """
    if not clause_id:
        return SafeString("")
    shown = context.get("shown")
    if shown is None:
        address = reverse("console:clause", args=[clause_id])
    else:
        address = reverse("console:why", args=[shown.incident.pk, clause_id])
    name, query = ("entry", str(entry)) if entry else ("step", step)
    mark = format_html(' id="why-{}-{}"', name, query) if query else ""
    address += f"?{urlencode({name: query})}" if query else ""
    return format_html(
        '<a class="clause"{2} href="{0}" hx-get="{0}" hx-target="#leaf" hx-swap="innerHTML"'
        ' data-opens="leaf">{1}</a>',
        address, clause_id, mark,
    )  # fmt: skip


@register.inclusion_tag("house/rule.html")
def rule(clause_id: str, site: Site, signal: int = 0) -> dict[str, object]:
    """A clause of a site's course that opens in its place, with the terms that bind the site.

    signal: in a list that is fetched again and again, whose clause it is: it stays open.
    """
    terms = site.provider.terms
    why = explain.of_site(clause_id, terms, site.plan, site.formula) if clause_id else None
    return {"clause": clause_id, "why": why, "mark": f"why-signal-{signal}" if signal else ""}


@register.filter
def span(seconds: float) -> str:
    """m:ss under an hour, h:mm:ss above."""
    return timing.span(seconds)


@register.filter
def phone(number: str) -> str:
    """As it is dialled here: 0475 00 12 36; abroad with the country in front."""
    return phones.shown(number)


@register.filter
def service_name(service: str) -> str:
    """Police, fire brigade or medical service in words."""
    return wording.word(wording.SERVICE_NAMES, service)


@register.filter
def within(words: str) -> str:
    """A word inside a sentence, in the small letters that its language allows."""
    return wording.within(words)


@register.filter
def iso(moment: datetime) -> str:
    """For datetime="…"."""
    return moment.isoformat()


@register.filter
def epoch_ms(moment: datetime) -> str:
    """Milliseconds since 1970, for the ticking ages; text, so that no locale groups its digits."""
    return str(int(moment.timestamp() * 1000))
