"""Checkers of what comes in: verdicts, frames, verification, tests, watching (sections 1, 5, 6)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from meldkamer.journal.models import Entry
from meldkamer.rehearsal.simulator.observed import VERIFIED, Run, Said, moment

_LINK_TEST = "NULL"
_TOLD = ("signal.received", "line_test.missed", "line_test.returned", "schedule.missed")


def one_verdict(run: Run) -> Said:
    """M12.1: each signal has one verdict and was told once."""
    verdicts = Counter(verdict.signal_id for verdict in run.verdicts)
    told = Counter(entry.signal_id for entry in run.told(*_TOLD))
    for signal in run.signals:
        if verdicts[signal.pk] != 1:
            yield f"signal {signal.pk} ({signal.code}) has {verdicts[signal.pk]} verdicts"
        if told[signal.pk] != 1:
            yield f"signal {signal.pk} ({signal.code}) was told {told[signal.pk]} times"
    known = {signal.pk for signal in run.signals}
    for verdict in run.verdicts:
        if verdict.signal_id not in known:
            yield f"a verdict on signal {verdict.signal_id}, which never came"


def stored_once(run: Run) -> Said:
    """M12.1: a frame that was answered is stored; a retry brings no signals of its own."""
    stored = Counter((frame.received_at, bytes(frame.raw)) for frame in run.frames)
    for at, raw in run.world.acknowledged:
        if not stored[at, raw]:
            yield f"the frame {raw!r} at {at.isoformat()} was acknowledged and is not stored"
        stored[at, raw] -= 1
    with_signals = {signal.frame_id for signal in run.signals}
    firsts: dict[bytes, datetime] = {}
    for frame in run.frames:
        raw = bytes(frame.raw)
        again = raw in firsts and frame.received_at - firsts[raw] <= timedelta(minutes=15)
        if frame.disposition not in ("accepted", "duplicate") or frame.token == _LINK_TEST:
            continue
        if again and frame.pk in with_signals:
            yield f"frame {frame.pk} is a retry within 15 minutes and was taken anew"
        if not again:
            firsts[raw] = frame.received_at
            if frame.disposition == "duplicate" and frame.duplicate_of is None:
                yield f"frame {frame.pk} is called a retry of nothing"


def lifecycle(run: Run) -> Said:
    """R4: opened, then closed once; one open incident of a site and type; none joined later."""
    for number, course in run.courses():
        words = [entry.what for entry in course]
        if "incident.opened" not in words[:2]:
            yield f"incident {number} begins with {words[0]}"
        if words.count("incident.closed") > 1 or words.count("incident.opened") != 1:
            yield f"incident {number} was opened or closed more than once"
        yield from _after_closing(course)
    running: dict[tuple[int | None, str, str], int] = {}
    for entry in run.told("incident.opened", "incident.closed"):
        for key, number in list(running.items()):
            if number == entry.incident_id:
                del running[key]
        if entry.what == "incident.opened":
            key = (entry.site_id, entry.type, str(entry.data.get("area", "")))
            if key in running:
                yield f"incident {entry.incident_id} was opened while {running[key]} was open"
            running[key] = entry.incident_id or 0


#: what may be said of an incident that is closed; a flood outlives the incident that notes it
_LATER = (
    *("handling.counted", "sms.received", "sms.answered", "note", "service.attended"),
    *("patrol.arrived", "patrol.done", "needless.counted", "needless.warned"),
    *("sms.rejected", "app.rejected", "mail.rejected", "flood.ended"),
)


def _after_closing(course: list[Entry]) -> Said:
    closed: Entry | None = None
    for entry in course:
        # the warning goes in writing after the count (S12.2)
        warning = entry.clause == "S12.2" and entry.what in ("mail.sent", "letter.sent")
        if closed is not None and entry.what not in _LATER and not warning:
            yield f"{moment(entry)} after the incident was closed at {closed.at.isoformat()}"
        if entry.what == "incident.closed":
            closed = entry


def verified(run: Run) -> Said:
    """S9.1: several detectors, or a code that says so, within the window."""
    zones = {
        (site.pk, str(zone.number).lstrip("0") or "0"): zone.detector
        for site in run.sites.values()
        for zone in next(p for p in run.world.story.parts.site if p.name == site.name).zone
    }
    signals = {signal.pk: signal for signal in run.signals}
    seen: dict[tuple[int | None, str], list[tuple[datetime, str, bool]]] = defaultdict(list)
    for entry in run.entries:
        if entry.what == "signal.received" and entry.incident_id and entry.signal_id:
            signal = signals[entry.signal_id]
            detail = signal.detail or {}
            if signal.zone and not detail.get("entry_exit"):
                own = zones.get((entry.site_id or 0, signal.zone)) or f"zone {signal.zone}"
                seen[entry.site_id, entry.data["type"]].append((entry.at, own, False))
            if detail.get("verifies"):
                seen[entry.site_id, entry.data["type"]].append((entry.at, "", True))
        if entry.what == "incident.opened" and entry.signal_id:
            # a signal that opens is told before its incident has a number
            seen[entry.site_id, entry.type] += _opening(run, entry, zones)
        if entry.what == "incident.verified" and entry.data["by"] == "detectors":
            since = entry.at - timedelta(seconds=run.terms.verification.window_s)
            found = [one for one in seen[entry.site_id, entry.type] if one[0] >= since]
            detectors = {name for _, name, _ in found if name}
            if len(detectors) < run.terms.verification.detectors and not any(f[2] for f in found):
                yield f"{moment(entry)} rests on {sorted(detectors)}"
        by_person = entry.data.get("by") == "person"
        if entry.what == "incident.verified" and entry.type not in VERIFIED and not by_person:
            yield f"{moment(entry)}: {entry.type} is never verified by {entry.data['by']}"


def _opening(
    run: Run, entry: Entry, zones: dict[tuple[int, str], str]
) -> list[tuple[datetime, str, bool]]:
    signal = next((s for s in run.signals if s.pk == entry.signal_id), None)
    if signal is None:
        return []
    detail = signal.detail or {}
    found = [(entry.at, "", True)] if detail.get("verifies") else []
    if signal.zone and not detail.get("entry_exit"):
        own = zones.get((entry.site_id or 0, signal.zone)) or f"zone {signal.zone}"
        found.append((entry.at, own, False))
    return found


def in_test(run: Run) -> Said:
    """S20.1: nothing is reacted to; it ends by itself at its time; at most so long by phone."""
    running: dict[int | None, list[tuple[datetime, bool]]] = defaultdict(list)
    for entry in run.entries:
        if entry.what == "test.started":
            until = datetime.fromisoformat(entry.data["until"])
            whole = not any(entry.data.get(key) for key in ("zones", "areas", "types"))
            running[entry.site_id].append((until, whole))
            most_s = run.terms.test_mode.phone_max_s
            if "by phone" in entry.reason and (until - entry.at).total_seconds() > most_s:
                yield f"{moment(entry)} by phone until {until.isoformat()}"
        elif entry.what == "test.ended":
            if entry.reason != "asked" and entry.at not in [u for u, _ in running[entry.site_id]]:
                yield f"{moment(entry)}: not its time, {running[entry.site_id]}"
            if running[entry.site_id]:
                running[entry.site_id].remove(min(running[entry.site_id]))
        elif entry.what == "incident.opened" and entry.signal_id and not entry.reason:
            covered = [until for until, whole in running[entry.site_id] if whole]
            if any(until > entry.at for until in covered):
                yield f"{moment(entry)} while the site is in test"
    for site_id, tests in running.items():
        late = [until for until, _ in tests if until < run.end]
        if late:
            yield f"a test of site {site_id} runs beyond {late[0].isoformat()}"


def selected(run: Run) -> Said:
    """S6.3, S10.5: a type that is not selected opens nothing; an undefined code is told once."""
    for entry in run.told("incident.opened"):
        site = run.sites.get(entry.site_id or 0)
        by_signal = entry.signal_id and not entry.reason
        if site is None or site.types is None or not by_signal or site.pk in run.changed_sites:
            continue
        if entry.type not in site.types:
            yield f"{moment(entry)}: {entry.type} is not selected at the site"
    told = Counter(
        (entry.site_id, entry.data.get("code"))
        for entry in run.told("mail.sent")
        if entry.clause == "S10.5" and entry.data.get("code")
    )
    for (site_id, code), count in told.items():
        if count > 1:
            yield f"the installer of site {site_id} was told {count} times of code {code}"


def line_tests(run: Run) -> Said:
    """S10.3, R20: missed at expected + wait, counted, silent after the last that is handled."""
    for site in run.sites.values():
        if not site.test_period_s or site.pk in run.changed_sites:
            continue
        came = [
            s.received_at for s in run.signals if s.site_id == site.pk and s.role == "test_message"
        ]
        told = [
            (entry.at, entry.data.get("count"))
            for entry in run.told("line_test.missed")
            if entry.site_id == site.pk
        ]
        told_to = [e.at for e in run.told("line_test.instructed") if e.site_id == site.pk]
        wanted = _missed(run, site.test_period_s, site.test_wait_s or 0, came, told_to)
        if told != wanted:
            differ = next(
                (pair for pair in zip(wanted, told, strict=False) if pair[0] != pair[1]),
                (wanted[len(told) :][:1], told[len(wanted) :][:1]),
            )
            yield f"missed tests of site {site.pk}: expected and told {differ}"


def _missed(
    run: Run, period_s: int, wait_s: int, came: list[datetime], instructed: list[datetime]
) -> list[tuple[datetime, int]]:
    """When each miss that is handled was to be told, and which it is since the last reaction."""
    period, wait = timedelta(seconds=period_s), timedelta(seconds=wait_s)
    expected, count = run.world.story.start + period, 0
    found: list[tuple[datetime, int]] = []
    tests = iter([*sorted(came), datetime.max.replace(tzinfo=run.end.tzinfo)])
    test = next(tests)
    while True:
        if test <= min(expected + wait, run.end):
            expected, count = test + period, 0
            test = next(tests)
            continue
        if expected + wait > run.end:
            return found
        # a written instruction is a reaction as well (S10.3): the count begins anew
        while instructed and instructed[0] <= expected + wait:
            instructed, count = instructed[1:], 0
        count += 1
        if count <= run.terms.line_test.handled:
            found.append((expected + wait, count))
        expected += period
