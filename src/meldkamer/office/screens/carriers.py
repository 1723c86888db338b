"""The office's page of carriers: what leaves the house over what, and how it is now."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from meldkamer.notify import health
from meldkamer.notify.carrier import TEST
from meldkamer.notify.channel_words import CHANNEL_WORDS
from meldkamer.notify.health import CarrierNow, ChannelNow
from meldkamer.notify.kinds import CHANNELS, KINDS, SANDBOX
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.trying_out import NotTried
from meldkamer.office.access import Office
from meldkamer.sites.models import Provider

KIND_WORDS: dict[str, str | Promise] = {
    "smpp": _("SMS centre (SMPP)"),
    "sms_http": _("SMS gateway (HTTP, Kannel)"),
    "gammu": _("GSM modem (gammu-smsd)"),
    "webpush": _("Our own push (web push)"),
    "app_cloud": _("Panel maker’s cloud"),
    "smtp": _("Mail server (SMTP)"),
    "sip": _("Telephone exchange (SIP)"),
    "pbx_http": _("Exchange by HTTP"),
    "pbx_ari": _("Asterisk (ARI)"),
    "cap": _("CAP 1.2 by HTTPS"),
    "print_queue": _("Print queue"),
    SANDBOX: _("Sandbox"),
}
STATE_WORDS: dict[str, str | Promise] = {
    "good": _("works"),
    "bad": _("does not work"),
    "unknown": _("not known"),
    "off": _("switched off"),
    "second": _("on its second carrier"),
    "none": _("no carrier"),
    "practice": _("practice"),
}
STATE_ICONS = {
    "good": "good",
    "bad": "bad",
    "second": "poor",
    "unknown": "poor",
    "none": "bad",
    "practice": "poor",
    "off": "off",
}
#: whom the test of a channel is for: what is typed there
TEST_FIELDS: dict[str, str | Promise] = {
    "sms": _("Number"),
    "voice": _("Number"),
    "mail": _("Address"),
    "app": _("Number of a contact who has the app"),
    "letter": _("Name, street, postal code and town"),
}
#: what a person should know before he sends one
TEST_WORDS: dict[str, str | Promise] = {
    "app": _("It reaches this contact’s app and says that it is a test."),
    "letter": _(
        "A page marked as a test comes into the print queue. It is over when it is printed."
    ),
    "authority": _(
        "A message of status Test goes there. It names no site, no person and no event."
    ),
}
#: what may stand in a message that was sent as a test
MESSAGE_STATES: dict[str, str | Promise] = {
    "pending": _("on its way"),
    "sending": _("on its way"),
    "waiting": _("waits for its next try"),
    "handed_over": _("taken by the carrier"),
    "delivered": _("delivered"),
    "failed": _("turned down"),
    "cancelled": _("no longer wanted"),
}
_NOT_TRIED: dict[str, str | Promise] = {
    "none": _(
        "A telephone exchange has no test message. Try it from the desk: call a number of your own."
    ),
    "inside": _("Nothing leaves: the carrier is switched off or its provider practises."),
    "mail": _("%(found)s is no address of e-mail. Expected e.g. me@example.be."),
    "number": _("%(found)s is no telephone number. Expected e.g. +32 475 12 34 56."),
    "no_app": _("No contact with the number %(found)s has the app on a phone."),
    "no_cloud": _("No contact with the number %(found)s is at a site that names this cloud."),
    "letter": _(
        "%(found)s is no address for a letter. "
        "Expected name, street and number, postal code and town, with commas between."
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One carrier in its words."""

    now: CarrierNow
    kind: str
    state: str
    icon: str
    of: str
    changeable: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with its carriers in the order of asking."""

    name: str
    words: str
    lines: tuple[Line, ...]


def words(table: dict[str, str | Promise], key: str) -> str:
    """The word, or the key itself when there is none."""
    return str(table.get(key, key))


def may_change(office: Office, row: WayOut) -> bool:
    """A carrier of every provider is changed by who works for every provider."""
    if row.provider_id is not None:
        return row.provider_id in office.provider_ids
    return works_for_all(office)


def works_for_all(office: Office) -> bool:
    """Whether this person works for every provider of the house."""
    return not Provider.objects.exclude(pk__in=office.provider_ids).exists()


def channels(office: Office) -> list[Channel]:
    """Every channel that has a carrier."""
    names = {provider.pk: provider.name for provider in office.providers}
    all_of = works_for_all(office)
    lines: dict[str, list[Line]] = {}
    for one in health.carriers(office.provider_ids, office.now):
        row = one.row
        of = names.get(row.provider_id or 0, "") if row.provider_id else str(_("every provider"))
        changeable = all_of if row.provider_id is None else True
        lines.setdefault(row.channel, []).append(
            Line(
                one,
                words(KIND_WORDS, row.kind),
                words(STATE_WORDS, one.state),
                STATE_ICONS[one.state],
                of,
                changeable,
            )
        )
    return [
        Channel(name, words(CHANNEL_WORDS, name), tuple(lines[name]))
        for name in CHANNELS
        if name in lines
    ]


@dataclass(frozen=True, slots=True)
class Attention:
    """A channel of a provider that a person should know of."""

    provider: str
    channel: str
    state: str
    icon: str
    now: ChannelNow


def attention(office: Office) -> list[Attention]:
    """Channels on their second carrier, without one, or with none that works."""
    return [
        Attention(
            one.provider.name,
            " ".join(part for part in (words(CHANNEL_WORDS, one.channel), one.lane) if part),
            words(STATE_WORDS, one.state),
            STATE_ICONS[one.state],
            one,
        )
        for one in health.channels(office.provider_ids, office.now)
        if one.attention
    ]


def boxes(office: Office) -> list[tuple[Provider, list[tuple[str, str, bool]]]]:
    """Of each provider: (channel, its words, whether it is in the sandbox)."""
    found = {
        provider.pk: (provider, inside)
        for provider, inside in health.in_practice(office.provider_ids)
    }
    rows = []
    for provider in office.providers:
        inside = found.get(provider.pk, (provider, []))[1]
        rows.append(
            (provider, [(one, words(CHANNEL_WORDS, one), one in inside) for one in CHANNELS])
        )
    return rows


def kinds() -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be entered: channel, then (kind, its words)."""
    return [
        (
            words(CHANNEL_WORDS, channel),
            [(k.name, words(KIND_WORDS, k.name)) for k in KINDS.values() if k.channel == channel],
        )
        for channel in CHANNELS
        if any(k.channel == channel for k in KINDS.values())
    ]


@dataclass(frozen=True, slots=True)
class Tried:
    """One test message and how far it is."""

    message: OutboxMessage
    state: str


def tests(row: WayOut) -> list[Tried]:
    """The last test messages over this carrier."""
    rows = OutboxMessage.objects.filter(template=TEST, carrier=row).order_by("-pk")[:5]
    seen = str(_("seen by its reader"))
    return [
        Tried(one, seen if one.acknowledged_at else words(MESSAGE_STATES, one.state))
        for one in rows
    ]


def not_tried(fault: NotTried) -> str:
    """Why no test was sent."""
    return str(_NOT_TRIED[fault.code]) % {"found": fault.found or "–"}
