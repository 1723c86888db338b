"""One verdict per signal, with its reason and clause, and what follows from it.

The order of the questions is the order of this file's `judge`. Nothing is thrown away: what is not
acted on is held or journaled, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from meldkamer.rules import flood, ladder, verification
from meldkamer.rules.acts import (
    Act,
    Close,
    Enqueue,
    HoldBack,
    Judgement,
    Mail,
    Open,
    Push,
    Say,
    Text,
    Wait,
)
from meldkamer.rules.facts import ContactFacts, IncidentFacts, SignalFacts, SiteFacts
from meldkamer.rules.needless import NEVER_SUSPENDED

RESTORABLE = ("battery", "power", "line_test")
_BEFORE_OPERATOR = ("waiting", "texting", "queued")
_ALARM_TYPES = ("intrusion", "sabotage", "holdup", "fire", "medical")


def judge(
    signal: SignalFacts,
    site: SiteFacts | None,
    open_incidents: Sequence[IncidentFacts],
    recent: Sequence[SignalFacts],
    now: datetime,
) -> Judgement:
    """The verdict on a signal.

    open_incidents: the site's, oldest first. recent: the site's signals that were acted on within
    the longest window the terms know, without those of incidents closed as false.
    """
    if site is None:
        say = Say("supervisor.notified", "S10.7", "unknown account", data={"list": "unknown"})
        return Judgement("unknown_account", "S10.7", "unknown account", acts=(say,))
    if signal.disposition or signal.role == "unparsed":
        reason = signal.disposition or "content not understood"
        say = Say("supervisor.notified", "S10.7", reason, data={"list": "refused"})
        return Judgement("refused", "S10.7", reason, acts=(say,))
    signal = with_sheet(signal, site)
    judgement = _held(signal, site) or _acted_on(signal, site, open_incidents, recent, now)
    if flood.begins(signal, site):
        begun = HoldBack(signal.transmitter or 0, signal.burst, signal.at)
        return replace(judgement, acts=(*judgement.acts, begun))
    return judgement


def _acted_on(
    signal: SignalFacts,
    site: SiteFacts,
    open_incidents: Sequence[IncidentFacts],
    recent: Sequence[SignalFacts],
    now: datetime,
) -> Judgement:
    if signal.role == "event":
        return _event(signal, site, open_incidents, recent, now)
    if signal.role == "restore":
        return _restore(signal, open_incidents)
    if signal.role in ("cancel", "still"):
        return _joining(signal, open_incidents)
    return Judgement("journaled", "M1.1", signal.type, signal=signal)


def with_sheet(signal: SignalFacts, site: SiteFacts) -> SignalFacts:
    """The type that the sheet gives a zone, over the code's (M1.2)."""
    zone = site.zones.get(signal.zone or "")
    if zone is None or not zone.type:
        return signal
    if signal.role in ("event", "still"):
        return replace(signal, type=zone.type)
    if signal.role == "restore":
        return replace(signal, restores_type=zone.type)
    return signal


def _held(signal: SignalFacts, site: SiteFacts) -> Judgement | None:
    """Test, not in force, flood, interruption: journaled, shown, not acted on."""
    if signal.role not in ("event", "restore", "cancel", "still"):
        return None
    watched_type = signal.restores_type or signal.type
    if any(test.covers(signal.zone, signal.area, watched_type) for test in site.tests):
        return _kept_back(signal, "S20.1", "test")
    rules = site.terms.not_in_force
    if signal.role == "event" and not site.in_force:
        clause = "D903.1" if rules.delay_s else "S4.2"
        texts = _tell_contacts(site, "S4.2") if signal.type in rules.text_types else ()
        return _hold(signal, clause, "not_in_force", texts)
    # before any interruption, so that a flood does not text the contacts without end
    if (flood.runs(signal, site) or flood.too_many(signal, site)) and flood.holds(signal, site):
        return _kept_back(signal, "D908.3", "flood")
    return _interrupted(signal, site) if signal.role == "event" else None


def _kept_back(signal: SignalFacts, clause: str, reason: str) -> Judgement:
    """An event is held; what opens nothing is journaled with the reason."""
    if signal.role == "event":
        return _hold(signal, clause, reason)
    return Judgement("journaled", clause, reason, type=signal.type, signal=signal)


def _interrupted(signal: SignalFacts, site: SiteFacts) -> Judgement | None:
    """Suspended types, or monitoring interrupted for a cause (S12.2, D908.1).

    The contacts are told of what came; what should have come and did not tells them nothing.
    """
    for interruption in site.interruptions:
        if interruption.kind == "flood":
            continue
        if interruption.types and signal.type not in interruption.types:
            continue
        life = signal.duress or signal.type in NEVER_SUSPENDED
        if interruption.kind == "suspended" and life:
            continue
        texts = () if signal.origin == "watch" else _tell_contacts(site, "D908.1")
        return _hold(signal, interruption.clause, "suspended", texts, interruption.kind)
    return None


def _tell_contacts(site: SiteFacts, clause: str) -> tuple[Act, ...]:
    return tuple(Text(contact.key, "held", clause) for contact in site.textable)


def _hold(
    signal: SignalFacts, clause: str, reason: str, then: tuple[Act, ...] = (), cause: str = ""
) -> Judgement:
    say = Say("signal.held", clause, reason, data={"cause": cause} if cause else {})
    return Judgement("held", clause, reason, acts=(say, *then), type=signal.type, signal=signal)


def _event(
    signal: SignalFacts,
    site: SiteFacts,
    open_incidents: Sequence[IncidentFacts],
    recent: Sequence[SignalFacts],
    now: datetime,
) -> Judgement:
    if signal.type == "undefined" and signal.code not in site.handled_undefined:
        return _undefined(signal, site)
    if site.types is not None and signal.type not in site.types:
        return _hold(signal, "S6.3", "not_selected")
    if (
        signal.type == "line_test"
        and signal.origin != "watch"
        and site.missed_tests > site.terms.line_test.handled
    ):
        return _hold(signal, "S10.3", "line_test_unwatched")
    area = (signal.area or "") if signal.type == "open_close" else ""
    for incident in open_incidents:
        if incident.type == signal.type and (
            signal.type != "open_close" or incident_area(incident) == area
        ):
            return _join(signal, incident, recent, now)
    return _open(signal, site, area, recent, now)


def incident_area(incident: IncidentFacts) -> str:
    """The area of an open/close incident, from the line that opened it."""
    for past in incident.history:
        if past.what == "incident.opened":
            return str(past.data.get("area", ""))
    return ""


def _undefined(signal: SignalFacts, site: SiteFacts) -> Judgement:
    """S10.5: the installer is told once per code and site, in writing; then held."""
    if signal.code in site.known_undefined:
        return _hold(signal, "S10.5", "undefined_known")
    data = {"code": signal.code}
    return Judgement(
        "told",
        "S10.5",
        "undefined",
        type="undefined",
        acts=(Mail("installer", "undefined_code", "S10.5", data),),
        signal=signal,
    )


def _join(
    signal: SignalFacts, incident: IncidentFacts, recent: Sequence[SignalFacts], now: datetime
) -> Judgement:
    acts: list[Act] = []
    if not incident.verified_by:
        verified = verification.by_detectors(
            [*recent, signal], incident.site.zones, signal.type, incident.terms, now
        )
        if verified is not None:
            acts.append(verified)
    if signal.duress:
        acts.append(Say("incident.duress", "M7.1"))
    return Judgement(
        "joined", "M1.1", incident=incident.id, type=signal.type, acts=tuple(acts), signal=signal
    )


def _open(
    signal: SignalFacts,
    site: SiteFacts,
    area: str,
    recent: Sequence[SignalFacts],
    now: datetime,
) -> Judgement:
    priority, reason, clause = priority_of(signal.type, site, recent, now)
    count = signal.detail.get("count")
    opening = Open(
        signal.type,
        priority,
        clause,
        reason,
        area,
        signal.zone,
        signal.code,
        line={} if count is None else {"count": count},
    )
    acts: list[Act] = [opening]
    verified = verification.by_detectors(
        [*recent, signal], site.zones, signal.type, site.terms, now
    )
    if verified is not None:
        acts.append(verified)
    if signal.duress:
        acts.append(Say("incident.duress", "M7.1"))
    acts += first_acts(signal, site, now)
    return Judgement(
        "opened", clause or "S15.1", reason, type=signal.type, acts=tuple(acts), signal=signal
    )


def priority_of(
    incident_type: str, site: SiteFacts, recent: Sequence[SignalFacts], now: datetime
) -> tuple[int, str, str]:
    """The priority, and why it was raised: a line fault or sabotage shortly before (M1.3)."""
    priority = site.terms.priority(incident_type)
    since = now - timedelta(seconds=site.terms.queue.raise_within_s)
    for before in recent:
        if before.role != "event" or before.at < since:
            continue
        if before.klass != "line_fault" and before.type != "sabotage":
            continue
        if site.terms.priority(before.type) != priority and priority > 1:
            return 1, f"{before.type} shortly before", "M1.3"
    return priority, "", "S15.1"


def first_acts(signal: SignalFacts, site: SiteFacts, now: datetime) -> list[Act]:
    """What opening a type leads to at once: foretold, waiting, or its treatment (section 2)."""
    if _foretold(signal, site, now):
        reason = f"foretold by {site.foretold_by}"
        said = {"key": "", "says": "false_alarm"}
        told = Say("phoned.in", "S12.1", reason, to=site.foretold_by, data=said)
        return [told, Close("false_alarm", "S12.1", reason)]
    if signal.type == "power" and site.in_outage:
        return [Close("general_outage", "S10.2")]
    if signal.type == "power":
        return [Wait(now + timedelta(seconds=power_delay_s(site)), "power", "S10.1")]
    return treat(signal.type, site, now, duress=signal.duress)


def power_delay_s(site: SiteFacts) -> int:
    """How long a power failure waits for its restore: the sheet's, else the terms' (S10.1)."""
    return site.terms.power.delay_s if site.power_delay_s is None else site.power_delay_s


def keeps_back(incident_type: str, site: SiteFacts, now: datetime) -> bool:
    """Whether something keeps an incident of the type from being opened: a test, an interruption,
    a contract not in force, the sheet (S20.1, D908.1, S4.2, S6.3).
    """
    asked = SignalFacts(0, now, "", "event", incident_type, origin="watch")
    selected = site.types is None or incident_type in site.types
    return not selected or _held(asked, site) is not None


def left_in_test(signal: SignalFacts, site: SiteFacts, now: datetime) -> list[Act]:
    """What a signal that was not restored when its test ended leads to (S20.1).

    Empty when something else still keeps it back: another test, an interruption, the sheet.
    """
    if _held(signal, site) is not None:
        return []
    if site.types is not None and signal.type not in site.types:
        return []
    reason = "not restored when the test ended"
    priority = site.terms.priority(signal.type)
    acts: list[Act] = [
        Open(
            signal.type, priority, "S20.1", reason,
            zone=signal.zone, code=signal.code, origin="test",
        )
    ]  # fmt: skip
    if signal.duress:
        acts.append(Say("incident.duress", "M7.1"))
    return [*acts, *treat(signal.type, site, now, duress=signal.duress)]


def _foretold(signal: SignalFacts, site: SiteFacts, now: datetime) -> bool:
    if site.foretold_until is None or now > site.foretold_until or signal.duress:
        return False
    if signal.type not in _ALARM_TYPES:
        return False
    by_hand = signal.type == "fire" and verification.call_point([signal], site.zones)
    return site.foretold_from_premises or not by_hand


def _to_the_app(contact: ContactFacts, site: SiteFacts, clause: str) -> Act:
    """S8.3: where the maker's cloud notifies by itself we write it down and send no second one."""
    if not site.app_notifies:
        return Push(contact.key, clause)
    data = {"cloud": site.app_cloud, "managed_by": site.app_managed_by, "instead_of": clause}
    return Say("app.left_to_cloud", "S8.3", "the cloud notifies", to=contact.name, data=data)


def treat(incident_type: str, site: SiteFacts, now: datetime, *, duress: bool = False) -> list[Act]:
    """A type's treatment by plan and formula (section 2; R32)."""
    treatment = site.terms.treatment(site.plan, site.formula, incident_type)
    clause = site.terms.procedure(incident_type).clause
    first = site.contacts[0] if site.contacts else None
    if treatment in ("ladder", "ladder+operator"):
        return ladder.start(site, now)
    mails: list[Act] = []
    if treatment in ("mail+app", "mail+text"):
        mails = [Mail(to, "line_test_missed", "S8.4") for to in ("customer", "installer")]
    if treatment in ("text", "mail+text"):
        if not site.textable:
            return [*mails, Enqueue("S7.6", "nobody may be texted")]
        notice = Text(site.textable[0].key, "notice", "D904.4a")
        return [*mails, notice, Close("notified", "D904.4a")]
    if treatment in ("app", "mail+app"):
        if first is None:
            return [*mails, Enqueue("S4.4", "no contact to notify")]
        return [*mails, _to_the_app(first, site, "S16.1"), Close("notified", "S16.1")]
    acts: list[Act] = [Enqueue(clause)]
    if treatment == "operator+app" and first is not None:
        acts.append(_to_the_app(first, site, "S8.1"))
    if treatment == "operator+text" and first is not None and first.textable and not duress:
        acts.append(Text(first.key, "information", "S8.2"))
    return acts


def _restore(signal: SignalFacts, open_incidents: Sequence[IncidentFacts]) -> Judgement:
    """S10.1, S10.6, R18: a restore ends what no operator has; otherwise it joins."""
    for incident in open_incidents:
        if incident.type != signal.restores_type:
            continue
        acts: tuple[Act, ...] = ()
        returned = signal.origin == "watch" and incident.type == "line_test"
        if incident.type in RESTORABLE and (incident.state in _BEFORE_OPERATOR or returned):
            clause = {"power": "S10.1", "battery": "S10.6"}.get(incident.type, "S10.3")
            acts = (Close("restored", clause),)
        return Judgement(
            "joined", "M1.1", incident=incident.id, type="restore", acts=acts, signal=signal
        )
    return Judgement("journaled", "M1.1", "restore", signal=signal)


def _joining(signal: SignalFacts, open_incidents: Sequence[IncidentFacts]) -> Judgement:
    """A cancel joins the last alarm, a "still present" its own type; neither opens (M1.1, M1.2)."""
    for incident in reversed(open_incidents):
        fits = incident.type == signal.type or (
            signal.role == "cancel" and incident.type in _ALARM_TYPES
        )
        if fits:
            return Judgement(
                "joined", "M1.1", incident=incident.id, type=signal.type, signal=signal
            )
    return Judgement("journaled", "M1.1", signal.role, signal=signal)
