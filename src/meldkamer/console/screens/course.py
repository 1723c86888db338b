"""The course of an incident as sentences: what happened, when, under which clause.

Never invents: an entry without a sentence of its own is shown by its word. Identification codes
are not in the journal and so never here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.phones import shown
from meldkamer.console.timing import clock, clock_or_day, span
from meldkamer.journal.models import Entry
from meldkamer.notify import fault_words
from meldkamer.rules.facts import SiteFacts

#: what only the machine needs to remember
_SILENT = frozenset({"handling.counted", "incident.waited", "identified"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `time` at the site, a sentence, its clause, and who did it (not the system).

    entry: its number in the journal, by which it is opened to its rule.
    """

    time: str
    words: str
    clause: str
    actor: str = ""
    refused: bool = False
    entry: int = 0


def lines(
    entries: Iterable[Entry], site: SiteFacts, names: Mapping[str, str], now: datetime
) -> list[Line]:
    """The newest first. `names`: actor → name of a member of staff."""
    zone = site.timezone
    return [
        Line(
            clock_or_day(entry.at, now, zone),
            sentence(entry, zone),
            entry.clause,
            names.get(entry.actor, ""),
            entry.what.endswith(".refused"),
            entry.pk,
        )
        for entry in reversed(list(entries))
        if entry.what not in _SILENT
    ]


def sentence(entry: Entry, zone: ZoneInfo) -> str:
    """One entry in the operator's language."""
    tell = _SENTENCES.get(entry.what)
    if tell is None:
        return _plain(entry)
    return tell(entry, zone)


def _plain(entry: Entry) -> str:
    words = [entry.what.replace(".", " ").replace("_", " "), person(entry.recipient)]
    if entry.reason:
        words.append(wording.reason(entry.reason))
    return " · ".join(word for word in words if word)


def person(recipient: str) -> str:
    """A name, or the word for police, premises, installer…"""
    known = recipient in wording.SERVICE_NAMES
    return wording.word(wording.SERVICE_NAMES, recipient) if known else recipient


def _until(entry: Entry, zone: ZoneInfo) -> str:
    text = str(entry.data.get("until", ""))
    return clock(datetime.fromisoformat(text), zone) if text else ""


def _reason(entry: Entry) -> str:
    told_by_carrier = entry.what.startswith("message.") or entry.what.endswith(".rejected")
    words = fault_words.said(entry.reason) if told_by_carrier else entry.reason
    return wording.reason(words).rstrip(".")


def _with_reason(sentence: str, entry: Entry) -> str:
    reason = _reason(entry)
    if not reason:
        return sentence
    return _("%(what)s: %(why)s") % {"what": sentence, "why": reason}


def _result(entry: Entry) -> str:
    said = entry.data
    who = person(entry.recipient)
    if said.get("result") != "reached":
        what = wording.word(wording.RESULTS_SHORT, str(said.get("result", "")))
        return _("Call %(who)s: %(what)s") % {"who": who, "what": what}
    if not said.get("accepted"):
        return _("Call %(who)s: reached, name and code not given") % {"who": who}
    what = wording.word(wording.SAYS, str(said.get("says") or "nothing"))
    if said.get("inform"):
        return _("Call %(who)s: informed") % {"who": who}
    return _("Call %(who)s: %(what)s") % {"who": who, "what": what}


def _checked(entry: Entry) -> str:
    outcome = str(entry.data.get("outcome", ""))
    who = {"who": person(entry.recipient)}
    if outcome == "right":
        return _("%(who)s identified: name and code right") % who
    if outcome == "duress":
        return _("%(who)s gave the duress code") % who
    return _("%(who)s: code wrong or missing") % who


def _signal(entry: Entry, zone: ZoneInfo) -> str:
    found = entry.data
    what = wording.within(wording.word(wording.TYPES, str(found.get("type", ""))))
    where = f" · z{found['zone']}" if found.get("zone") else ""
    words = {"what": what, "code": found.get("code", ""), "where": where}
    return _("Signal: %(what)s %(code)s%(where)s") % words


def _opened(entry: Entry) -> str:
    what = wording.word(wording.TYPES, str(entry.data.get("type") or entry.type))
    return _with_reason(_("Opened: %(what)s") % {"what": what}, entry)


def _verified(entry: Entry) -> str:
    by = str(entry.data.get("by", ""))
    detectors = entry.data.get("detectors")
    if detectors:
        return _("Verified by %(what)s") % {"what": ", ".join(map(str, detectors))}
    return _("Verified by %(what)s") % {"what": wording.word(wording.VERIFIED_BY, by)}


def _waiting(entry: Entry, zone: ZoneInfo) -> str:
    why = wording.word(wording.WAITS, str(entry.data.get("for", "")))
    return _("Waits until %(until)s: %(why)s") % {"until": _until(entry, zone), "why": why}


def _service(word: str) -> Callable[[Entry, ZoneInfo], str]:
    service = word.partition(".")[0]

    def tell(entry: Entry, zone: ZoneInfo) -> str:
        if word.endswith("refused"):
            found = _("%(service)s asked for, refused") % {
                "service": wording.word(wording.SERVICE_NAMES, service).capitalize()
            }
            return _with_reason(found, entry)
        found = _("%(service)s asked for") % {
            "service": wording.word(wording.SERVICE_NAMES, service).capitalize()
        }
        return _with_reason(found, entry)

    return tell


def _attended(entry: Entry) -> str:
    who, eta = entry.data.get("attends", ""), entry.data.get("eta", "")
    return _("Who attends: %(who)s") % {"who": ", ".join(str(x) for x in (who, eta) if x)}


def _dialled(entry: Entry) -> str:
    words = {
        "service": person(entry.recipient),
        "number": shown(str(entry.data.get("number", ""))),
        "zone": entry.data.get("zone", ""),
    }
    if words["zone"]:
        return _("Call to %(service)s, %(number)s, %(zone)s") % words
    return _("Call to %(service)s, %(number)s: the national number, the zone has none") % words


def _accepted(entry: Entry) -> str:
    """By telephone with who took it and their number; by wire with what came back."""
    said = [entry.data.get("by"), entry.data.get("reference"), entry.reason]
    told = ", ".join(str(part) for part in said if part)
    words = {"service": person(entry.recipient).capitalize(), "told": told}
    if told:
        return _("%(service)s took it on: %(told)s") % words
    return _("%(service)s took it on") % words


def _handed_over(entry: Entry) -> str:
    words = {"service": person(entry.recipient)}
    kinds = {
        "Update": _("Told %(service)s by wire who attends"),
        "Cancel": _("Told %(service)s by wire that it is a false alarm"),
    }
    plain = _("Handed over by wire to %(service)s")
    return kinds.get(str(entry.data.get("message_type")), plain) % words


def _heard(entry: Entry) -> str:
    words = {
        "answered": _("The exchange: answered"),
        "busy": _("The exchange: engaged"),
        "no_answer": _("The exchange: no answer"),
        "ended": _("The exchange: call ended"),
    }
    state, talked_s = str(entry.data.get("state", "")), entry.data.get("talked_s")
    found = words.get(state, state)
    return f"{found}, {span(talked_s)}" if isinstance(talked_s, int) else found


def _message(channel: str) -> Callable[[Entry, ZoneInfo], str]:
    def tell(entry: Entry, zone: ZoneInfo) -> str:
        words = {
            "sms": _("Text to %(who)s"),
            "app": _("App to %(who)s"),
            "mail": _("Mail to %(who)s"),
            "letter": _("Letter to %(who)s"),
        }
        return words[channel] % {"who": person(entry.recipient)}

    return tell


def _received(entry: Entry, zone: ZoneInfo) -> str:
    text = str(entry.data.get("text", ""))
    return _("Text from %(who)s: “%(text)s”") % {"who": person(entry.recipient), "text": text}


def _late_or_early(entry: Entry, zone: ZoneInfo) -> str:
    key = f"{entry.data.get('expected', '')}.{entry.data.get('how', '')}"
    return wording.word(wording.MISSED_HOURS, key)


def _received_in_time(entry: Entry) -> str:
    return str(entry.data.get("received") or entry.data.get("count") or "")


def _count(entry: Entry, zone: ZoneInfo) -> str:
    return _("Line test missed, %(count)s in a row") % {"count": entry.data.get("count", "")}


def _carrier(entry: Entry) -> dict[str, str]:
    return {"name": str(entry.data.get("carrier", ""))}


def _carrier_fails(entry: Entry, zone: ZoneInfo) -> str:
    what = _("Carrier %(name)s fails") % _carrier(entry)
    fault = fault_words.said(str(entry.data.get("fault", "")))
    return _("%(what)s: %(why)s") % {"what": what, "why": fault} if fault else what


def _patrol_why(sentence: str, entry: Entry) -> str:
    parts = [wording.word(wording.PATROL_REASONS, entry.reason) if entry.reason else ""]
    parts.append(str(entry.data.get("note") or ""))
    told = ", ".join(part for part in parts if part)
    said = sentence % {"who": person(entry.recipient)}
    return f"{said}: {told}" if told else said


def _found(entry: Entry) -> str:
    finding = wording.word(wording.PATROL_FINDINGS, str(entry.data.get("finding", "")))
    words = {"who": person(entry.recipient), "what": finding}
    said = _("Patrol %(who)s found: %(what)s") % words
    note = str(entry.data.get("note") or "")
    return f"{said}. {note}" if note else said


def _to(template: Callable[[], str], reason: bool = False) -> Callable[[Entry, ZoneInfo], str]:
    def tell(entry: Entry, zone: ZoneInfo) -> str:
        found = template() % {"who": person(entry.recipient)}
        return _with_reason(found, entry) if reason else found

    return tell


_SENTENCES: dict[str, Callable[[Entry, ZoneInfo], str]] = {
    "incident.opened": lambda e, z: _opened(e),
    "incident.queued": lambda e, z: _with_reason(_("Into the queue"), e),
    "incident.taken": lambda e, z: _("Taken up"),
    "signal.received": _signal,
    "signal.held": lambda e, z: _with_reason(_("Signal held back"), e),
    "incident.resumed": _to(lambda: _("Hold is over: back with %(who)s")),
    "flood.started": lambda e, z: (
        _("Transmitter held back: %(count)s signals in a short time")
        % {"count": _received_in_time(e)}
    ),
    "flood.noted": lambda e, z: _("The transmitter that is held back is handled here"),
    "flood.ended": lambda e, z: _("Transmitter released: it is quiet"),
    "needless.counted": lambda e, z: (
        _("Needless alarm %(count)s counted") % {"count": e.data.get("count", "")}
    ),
    "needless.warned": lambda e, z: _("Customer warned of needless alarms"),
    "schedule.missed": _late_or_early,
    "line_test.returned": lambda e, z: _("Line test is back"),
    "incident.taken_over": _to(lambda: _("Taken over from %(who)s"), reason=True),
    "incident.held": lambda e, z: (
        _("On hold until %(until)s: %(why)s")
        % {"until": _until(e, z), "why": wording.word(wording.HOLD_REASONS, e.reason)}
    ),
    "incident.waiting": _waiting,
    "incident.verified": lambda e, z: _verified(e),
    "incident.duress": lambda e, z: _("Duress: treated as a hold-up"),
    "incident.help": _to(lambda: _("%(who)s asks for help")),
    "incident.closed": lambda e, z: _with_reason(
        _("Closed: %(outcome)s")
        % {"outcome": wording.word(wording.OUTCOMES, str(e.data.get("outcome", "")))},
        e,
    ),
    "call.placed": _to(lambda: _("Call to %(who)s")),
    "call.result": lambda e, z: _result(e),
    "phoned.in": lambda e, z: (
        _("%(who)s calls in: %(what)s")
        % {
            "who": person(e.recipient),
            "what": wording.word(wording.SAYS, str(e.data.get("says", ""))),
        }
    ),
    "identity.checked": lambda e, z: _checked(e),
    "identification.failed": _to(lambda: _("%(who)s not identified"), reason=True),
    "message.left": _to(lambda: _("Message left with %(who)s")),
    "supervisor.notified": lambda e, z: _with_reason(_("Supervisor told"), e),
    "supervisor.reminded": lambda e, z: _with_reason(_("Supervisor reminded"), e),
    "supervisor.called": _to(lambda: _("%(who)s is called: nobody takes it")),
    "supervisor.knows": _to(lambda: _("%(who)s knows that nobody takes it"), reason=True),
    "service.attended": lambda e, z: _attended(e),
    "service.dialled": lambda e, z: _dialled(e),
    "service.accepted": lambda e, z: _accepted(e),
    "service.handed_over": lambda e, z: _handed_over(e),
    "authority.rejected": _to(lambda: _("Message by wire to %(who)s refused"), reason=True),
    "call.heard": lambda e, z: _heard(e),
    "call.failed": lambda e, z: _("The exchange did not place the call: dialled by hand"),
    "patrol.offered": _to(lambda: _("Patrol %(who)s asked")),
    "patrol.sent": lambda e, z: (
        (
            _("Patrol %(who)s accepted, on its way")
            if e.data.get("accepted")
            else _("Patrol %(who)s sent")
        )
        % {"who": person(e.recipient)}
    ),
    "patrol.declined": lambda e, z: _patrol_why(_("Patrol %(who)s cannot"), e),
    "patrol.unanswered": _to(lambda: _("Patrol %(who)s did not answer in time")),
    "patrol.withdrawn": _to(lambda: _("Patrol %(who)s called off"), reason=True),
    "patrol.found": lambda e, z: _found(e),
    "patrol.photo": _to(lambda: _("Photo of patrol %(who)s")),
    "patrol.photo_saved": _to(lambda: _("Original of a photo of patrol %(who)s saved")),
    "patrol.codes_shown": _to(lambda: _("Codes of the site shown to patrol %(who)s, on site")),
    "patrol.too_late": lambda e, z: _patrol_why(_("Report of patrol %(who)s came too late"), e),
    "patrol.refused": lambda e, z: _with_reason(_("Patrol asked for, refused"), e),
    "patrol.arrived": _to(lambda: _("Patrol %(who)s on site")),
    "patrol.done": _to(lambda: _("Patrol %(who)s done")),
    "images.judged": lambda e, z: (
        _("Images judged: an intruder is seen")
        if e.data.get("images") == "intruder"
        else _("Images judged: nothing is seen")
    ),
    "signals.seen": lambda e, z: _("New signals seen"),
    "told.all": lambda e, z: _("All contacts told by text and mail"),
    "note": lambda e, z: _("Note: %(text)s") % {"text": e.data.get("text", "")},
    "sms.sent": _message("sms"),
    "call.announced": _to(lambda: _("Call with a spoken text to %(who)s")),
    "app.sent": _message("app"),
    "app.left_to_cloud": lambda e, z: (
        _("The cloud %(cloud)s notifies %(who)s by itself: none of ours sent")
        % {"cloud": e.data.get("cloud", ""), "who": person(e.recipient)}
    ),
    "mail.sent": _message("mail"),
    "letter.sent": _message("letter"),
    **{
        f"{channel}.rejected": _to(
            lambda: _("Message to %(who)s rejected by its carrier"), reason=True
        )
        for channel in ("sms", "app", "mail", "letter", "voice", "authority")
    },
    "message.delivered": _to(lambda: _("Message to %(who)s delivered"), reason=True),
    "message.undelivered": _to(lambda: _("Message to %(who)s did not arrive"), reason=True),
    "message.delayed": _to(lambda: _("Message to %(who)s is late, it is still tried"), reason=True),
    "letter.printed": _to(lambda: _("Letter to %(who)s printed")),
    "letter.requeued": _to(lambda: _("Letter to %(who)s to be printed again"), reason=True),
    "letter.posted": _to(lambda: _("Letter to %(who)s posted")),
    "letter.returned": _to(lambda: _("Letter to %(who)s came back"), reason=True),
    "message.acknowledged": _to(lambda: _("%(who)s confirmed the message"), reason=True),
    "message.unanswered": _to(lambda: _("%(who)s did not confirm the message"), reason=True),
    "sms.received": _received,
    "sms.answered": _received,
    "line_test.missed": _count,
    "carrier down": _carrier_fails,
    "carrier up": lambda e, z: _("Carrier %(name)s works again") % _carrier(e),
    **{
        f"{service}.{word}": _service(f"{service}.{word}")
        for service in ("police", "fire", "medical")
        for word in ("requested", "refused")
    },
}
