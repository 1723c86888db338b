"""Faults planted in the production code, each with the checker that must catch it.

Every checker of the simulator has at least one. A fault is planted by replacing a function or a
row of a table; the story is small, so that it shows at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from meldkamer.agenda import commands as agenda
from meldkamer.contracts import commands as contracts
from meldkamer.incidents import queries
from meldkamer.incidents.deciding import carry_out, due, gathering, judging
from meldkamer.incidents.messages import sent, texting
from meldkamer.incidents.telephone import incoming
from meldkamer.journal import commands as journal
from meldkamer.rehearsal import happenings, operators
from meldkamer.rehearsal.simulator import live
from meldkamer.rules import calls, case, ladder, procedures, verdicts, verification
from meldkamer.rules.acts import Close, Text, Verify
from meldkamer.rules.facts import SiteFacts
from meldkamer.watch.expectations import TestSchedule
from tests.rehearsal.simulator import stories

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Planted:
    """A fault: what it does, who must catch it, in which story, and how it is planted."""

    what: str
    checker: str
    story: stories.Tables
    plant: Callable[[Patch], None]
    lived: bool = False


def _no_deadline(patch: Patch) -> None:
    whole = agenda.schedule

    def schedule(kind: str, subject: str, due_at: Any, now: Any, **rest: Any) -> None:
        if kind != carry_out.DUE:
            whole(kind, subject, due_at, now, **rest)

    patch.setattr(agenda, "schedule", schedule)


def _tests_never_end(patch: Patch) -> None:
    whole = agenda.due_rows
    patch.setattr(
        agenda,
        "due_rows",
        lambda now, ranks=(0, 1), limit=100: (
            [] if ranks == (0,) else whole(now, ranks=ranks, limit=limit)
        ),
    )


def _no_reply_is_taken(patch: Patch) -> None:
    patch.setattr(texting, "consume_next", lambda now: False)


def _verified_in_words_alone(patch: Patch) -> None:
    def say(docket: Any, act: Verify) -> None:
        docket.say("incident.verified", act.clause, data={"by": act.by})

    patch.setitem(carry_out._CARRIERS, Verify, say)


def _closed_an_hour_ago(patch: Patch) -> None:
    whole = journal.write

    def write(what: str, at: Any, **rest: Any) -> Any:
        earlier = timedelta(hours=1) if what == "incident.closed" else timedelta()
        return whole(what, at - earlier, **rest)

    patch.setattr(journal, "write", write)


def _restores_have_no_verdict(patch: Patch) -> None:
    whole = gathering.given
    patch.setattr(gathering, "given", lambda row: None if row.verdict == "joined" else whole(row))


def _acknowledged_and_dropped(patch: Patch) -> None:
    patch.setattr(happenings, "store", lambda cursor, frames: [])


def _called_after_closing(patch: Patch) -> None:
    whole = carry_out._CARRIERS[Close]

    def close(docket: Any, act: Close) -> None:
        whole(docket, act)
        docket.say("call.placed", "S15.2", to="Person 1", data={"key": "c1", "round": 1})

    patch.setitem(carry_out._CARRIERS, Close, close)


def _one_detector_is_enough(patch: Patch) -> None:
    def by_detectors(signals: Any, zones: Any, kind: str, terms: Any, now: Any) -> Verify | None:
        seen = [s for s in signals if s.type == kind]
        return Verify("detectors", "S9.1", {}) if len(seen) > 1 else None

    patch.setattr(verification, "by_detectors", by_detectors)


def _judged_by(patch: Patch, **otherwise: Any) -> None:
    """Signals are judged by other facts of their site than there are."""
    whole = judging._asked

    def asked(*given: Any) -> Any:
        found = whole(*given)
        return replace(found, facts=replace(found.facts, **otherwise))

    patch.setattr(judging, "_asked", asked)


def _tests_hold_nothing(patch: Patch) -> None:
    _judged_by(patch, tests=())


def _every_type_is_selected(patch: Patch) -> None:
    _judged_by(patch, types=None)


def _tests_are_expected_late(patch: Patch) -> None:
    whole = TestSchedule.after_miss
    patch.setattr(
        TestSchedule, "after_miss", lambda self, at: whole(self, at) + timedelta(seconds=60)
    )


def _from_the_end_of_the_list(patch: Patch) -> None:
    whole = ladder.usable
    patch.setattr(
        ladder, "usable", lambda site, **more: dict(reversed(whole(site, **more).items()))
    )


def _wait_from_the_decision(patch: Patch) -> None:
    patch.setattr(sent, "handed_over", lambda *facts: None)
    patch.setattr(due, "_wait_of_last_rung", lambda *facts: None)


def _always_the_first(patch: Patch) -> None:
    whole = ladder.climb

    def climb(incident: Any, treatment: str, now: Any, **carried: bool) -> Any:
        first = incident.site.textable[0].key
        return [
            replace(act, contact_key=first) if isinstance(act, Text) else act
            for act in whole(incident, treatment, now, **carried)
        ]

    patch.setattr(ladder, "climb", climb)


def _only_the_plain_ok(patch: Patch) -> None:
    patch.setattr(ladder, "is_ok", lambda text: text == "ok")


def _texts_from_the_queue(patch: Patch) -> None:
    patch.setitem(due._BY_STATE, "queued", due._ladder_climbs)


def _no_trial(patch: Patch) -> None:
    patch.setattr(SiteFacts, "in_trial", lambda self, now: False)


def _any_code_is_right(patch: Patch) -> None:
    whole = calls.answered

    def answered(incident: Any, step: Any, person: str, result: str, identity: str,
                 says: str, now: Any) -> Any:  # fmt: skip
        return whole(incident, step, person, result, "right", says, now)

    patch.setattr(calls, "answered", answered)


def _every_caller_is_believed(patch: Patch) -> None:
    whole = incoming.someone_calls
    patch.setattr(
        incoming,
        "someone_calls",
        lambda *given, **rest: whole(*given, **{**rest, "identity": "right"}),
    )


def _duress_is_overheard(patch: Patch) -> None:
    patch.setitem(case._FOLDS, "incident.duress", lambda found, past: found)


def _the_last_is_called_first(patch: Patch) -> None:
    whole = procedures.targets
    patch.setattr(procedures, "targets", lambda incident: whole(incident)[::-1])


def _counted_by_twos(patch: Patch) -> None:
    whole = contracts.count_handling

    def count(*facts: Any) -> Any:
        row = whole(*facts)
        if row is not None:
            row.used += 1
            row.save()
        return row

    patch.setattr(contracts, "count_handling", count)


def _newest_first(patch: Patch) -> None:
    patch.setattr(queries, "place", lambda one, _terms, _now: (-one.opened_at.timestamp(), one.id))


def _power_is_treated_at_once(patch: Patch) -> None:
    patch.setattr(
        verdicts, "first_acts", lambda signal, site, now: verdicts.treat(signal.type, site, now)
    )


def _closed_as_confirmed(patch: Patch) -> None:
    whole = carry_out._CARRIERS[Close]
    patch.setitem(
        carry_out._CARRIERS,
        Close,
        lambda docket, act: whole(docket, replace(act, outcome="confirmed_by_sms")),
    )


def _texts_without_a_rule(patch: Patch) -> None:
    whole = journal.write

    def write(what: str, at: Any, **rest: Any) -> Any:
        return whole(what, at, **{**rest, "clause": "" if what == "sms.sent" else rest["clause"]})

    patch.setattr(journal, "write", write)


def _nobody_takes_anything(patch: Patch) -> None:
    patch.setattr(operators, "take", lambda operator, now: False)


def _a_reply_is_taken_in_two_steps(patch: Patch) -> None:
    def consume(now: Any) -> bool:
        with transaction.atomic():
            message = texting._waiting().order_by("id").first()
            if message is None:
                return False
            message.consumed_at = now
            message.save()
        with transaction.atomic():
            texting._consume(message, now)
        return True

    patch.setattr(texting, "consume_next", consume)


def _live_forgets_what_came_before(patch: Patch) -> None:
    whole = verification.by_detectors

    def by_detectors(signals: Any, *rest: Any) -> Any:
        # within a rehearsal's transaction every command is a savepoint
        return whole(signals if len(connection.savepoint_ids) else list(signals)[-1:], *rest)

    patch.setattr(verification, "by_detectors", by_detectors)


def _an_entry_is_changed_after_sealing(patch: Patch) -> None:
    whole = live.seal_all

    def seal(wrapper: Any, now: Any, *, alone: bool) -> int:
        sealed = whole(wrapper, now, alone=alone)
        with wrapper.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("UPDATE journal_entry SET reason = 'other' WHERE what = 'sms.sent'")
        return sealed

    patch.setattr(live, "seal_all", seal)


def _texting_fails(patch: Patch) -> None:
    def start(*facts: Any) -> Any:
        raise ZeroDivisionError("planted")

    patch.setattr(ladder, "start", start)


PLANTED = (
    Planted("open incidents have no deadline", "open has owner and due", stories.POWER,
            _no_deadline),
    Planted("tests are never ended", "overdue is acted on", stories.IN_TEST, _tests_never_end),
    Planted("replies are not taken", "nothing waits", stories.BATTERY_OK, _no_reply_is_taken),
    Planted("verification is told and not kept", "journal equals tables", stories.TWO_ZONES,
            _verified_in_words_alone),
    Planted("an entry is dated back", "time ascends", stories.BATTERY_OK, _closed_an_hour_ago),
    Planted("a restore has no verdict", "one verdict per signal", stories.BATTERY_RESTORED,
            _restores_have_no_verdict),
    Planted("a frame is answered and dropped", "acknowledged is stored, once", stories.BURGLARY,
            _acknowledged_and_dropped),
    Planted("a closed incident goes on", "one open incident per site and type",
            stories.BATTERY_OK, _called_after_closing),
    Planted("one detector verifies", "verified by what counts", stories.TWO_AT_ONE_ZONE,
            _one_detector_is_enough),
    Planted("a test holds nothing back", "nothing is reacted to in test", stories.IN_TEST,
            _tests_hold_nothing),
    Planted("the selection is not looked at", "only what was selected", stories.NOT_SELECTED,
            _every_type_is_selected),
    Planted("line tests are expected a minute late", "missed tests are counted", stories.TESTS,
            _tests_are_expected_late),
    Planted("the last contact is texted first", "ladder order and waits", stories.BATTERY,
            _from_the_end_of_the_list),
    Planted("the wait begins before the hand-over", "ladder order and waits",
            stories.BATTERY_AFTER_AN_OUTAGE, _wait_from_the_decision),
    Planted("the same person each time", "nobody texted twice in a round",
            {**stories.BATTERY, "until": "+6m"},
            _always_the_first),
    Planted("OK in capitals is not understood", "replies are answered", stories.BATTERY_OK,
            _only_the_plain_ok),
    Planted("texts go on from the queue", "the ladder stops", stories.BATTERY_QUESTION,
            _texts_from_the_queue),
    Planted("police in trial", "no service against the rules", stories.TRIAL, _no_trial),
    Planted("a wrong code is accepted", "nobody unidentified is obeyed", stories.WRONG_CODE,
            _any_code_is_right),
    Planted("a caller with a wrong code is believed", "nobody unidentified is obeyed",
            stories.CALLER_WITH_A_WRONG_CODE, _every_caller_is_believed),
    Planted("a caller with a wrong code starts a test", "nobody unidentified is obeyed",
            stories.TEST_WITH_A_WRONG_CODE, _every_caller_is_believed),
    Planted("a duress code is overheard", "no call after duress", stories.DURESS,
            _duress_is_overheard),
    Planted("the list is called backwards", "calls in order, once a round", stories.BURGLARY,
            _the_last_is_called_first),
    Planted("handlings count double", "quota counted once", stories.BURGLARY, _counted_by_twos),
    Planted("the newest is taken first", "the queue's order", stories.TWO_TYPES, _newest_first),
    Planted("power is acted on at once", "power waits", stories.POWER, _power_is_treated_at_once),
    Planted("a restored incident is called confirmed", "outcomes rest on the course",
            stories.BATTERY_RESTORED, _closed_as_confirmed),
    Planted("texts name no rule", "every line names its rule", stories.BATTERY,
            _texts_without_a_rule),
    Planted("nobody takes incidents", "everything settles", stories.SLOW, _nobody_takes_anything),
    Planted("a reply is taken in two commits", "crashes change nothing", stories.KILLED_OFTEN,
            _a_reply_is_taken_in_two_steps),
    Planted("the live path forgets", "live agrees", stories.TWO_ZONES,
            _live_forgets_what_came_before, lived=True),
    Planted("a sealed entry is changed", "the chain holds", stories.BATTERY_OK,
            _an_entry_is_changed_after_sealing, lived=True),
    Planted("the ladder raises", "no step fails", stories.BATTERY, _texting_fails),
)  # fmt: skip
