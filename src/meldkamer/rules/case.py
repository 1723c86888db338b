"""The fold of an incident's history into what the rules ask of it.

The history is the journal's: nothing is remembered beside it, so a procedure can be replayed and
explained. One row of `_FOLDS` per word of the timeline that changes the case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from meldkamer.rules.facts import CallMade, Case, Past, TextSent


def fold(history: Iterable[Past]) -> Case:
    """The case that a history, in order, amounts to."""
    case = Case()
    for past in history:
        change = _FOLDS.get(past.what)
        if change is not None:
            case = change(case, past)
    return case


def _call_result(case: Case, past: Past) -> Case:
    data = past.data
    call = CallMade(
        to=str(data.get("key", "")),
        at=past.at,
        round=int(data.get("round", 1)),
        result=str(data.get("result", "")),
        accepted=bool(data.get("accepted")),
        says=str(data.get("says", "")),
        inform=bool(data.get("inform")),
    )
    case = replace(case, calls=(*case.calls, call), operator_called=True)
    return case if call.inform or not call.accepted else _spoken(case, call.to, call.says, past)


def _phoned(case: Case, past: Past) -> Case:
    """A caller who was identified spoke about this incident."""
    case = replace(case, operator_called=True)
    return _spoken(case, str(past.data.get("key", "")), str(past.data.get("says", "")), past)


def _spoken(case: Case, key: str, says: str, past: Past) -> Case:
    if says == "duress":
        return replace(case, duress=True)
    if says == "false_alarm" and not past.data.get("not_enough"):
        return replace(case, false_alarm=key, consulted=True)
    wants = says == "send_patrol"
    return replace(case, consulted=True, patrol_wanted=case.patrol_wanted or wants)


def _requested(service: str) -> Callable[[Case, Past], Case]:
    return lambda case, past: replace(
        case, requested=case.requested | {service}, operator_called=True
    )


def _refused(service: str) -> Callable[[Case, Past], Case]:
    # a refusal said in a call's step does not settle the step that asks for the service (R12)
    return lambda case, past: (
        case if past.data.get("in_call") else replace(case, refused=case.refused | {service})
    )


def _text(case: Case, past: Past) -> Case:
    if past.data.get("purpose") != "ladder":
        return case
    by = "sms" if past.what == "sms.sent" else "voice"
    text = TextSent(str(past.data.get("key", "")), past.at, int(past.data.get("round", 1)), by)
    return replace(case, texts=(*case.texts, text))


def _reply(case: Case, past: Past) -> Case:
    """A reply other than ok: its sender is called first (S7.4)."""
    key = str(past.data.get("key", ""))
    return replace(case, reply_from=key) if past.data.get("other") and key else case


def _waited(case: Case, past: Past) -> Case:
    if past.data.get("for") == "override":
        return replace(case, override_lapsed=True)
    if past.data.get("for") == "second_pass":
        return replace(case, round=case.round + 1)
    return case


_FOLDS: dict[str, Callable[[Case, Past], Case]] = {
    "call.result": _call_result,
    "phoned.in": _phoned,
    "police.requested": _requested("police"),
    "fire.requested": _requested("fire"),
    "medical.requested": _requested("medical"),
    "police.refused": _refused("police"),
    "fire.refused": _refused("fire"),
    "medical.refused": _refused("medical"),
    # asked for: the procedure goes on, but what waits for its answer is not over yet (S6.1)
    "patrol.offered": lambda case, past: replace(case, patrol_settled=True, patrol_asked=True),
    "patrol.sent": lambda case, past: replace(case, patrol_settled=True, patrol_asked=False),
    "patrol.refused": lambda case, past: replace(case, patrol_settled=True, patrol_asked=False),
    "patrol.withdrawn": lambda case, past: replace(case, patrol_asked=False),
    "sms.sent": _text,
    "call.announced": _text,
    "sms.received": _reply,
    "sms.answered": _reply,
    "incident.waited": _waited,
    "incident.duress": lambda case, past: replace(case, duress=True),
    "incident.help": lambda case, past: replace(case, called_for_help=True, operator_called=True),
    "supervisor.notified": lambda case, past: (
        replace(case, supervisor_told=True) if past.clause == "S15.3" else case
    ),
    "told.all": lambda case, past: replace(case, told_all=True),
    "signals.seen": lambda case, past: replace(case, seen_at=past.at),
}
