"""What the exchange of the desks tells: of a call it placed, and of a call that comes in.

/hooks/<token>/call/ and /hooks/<token>/incoming/, as a form or as JSON. The states are ours or
those of Asterisk's dialplan (DIALSTATUS). Answered 200 once it is stored; told twice it is stored
once.
Nothing that comes here identifies a caller (S19.1) or settles a step.
"""

from __future__ import annotations

from meldkamer.api.door import Call, hook
from meldkamer.api.fields import BadInput
from meldkamer.incidents.telephone import answering, desk_calls

#: of a call that was placed: what exchanges say, and what it means
_PLACED = {
    "ringing": "ringing",
    "answered": "answered", "answer": "answered",
    "busy": "busy",
    "no_answer": "no_answer", "noanswer": "no_answer", "cancel": "no_answer",
    "failed": "failed", "congestion": "failed", "chanunavail": "failed",
    "ended": "ended", "hangup": "ended",
}  # fmt: skip
_INCOMING = {
    "ringing": "ringing",
    "answered": "answered", "answer": "answered",
    "ended": "ended", "hangup": "ended", "cancel": "ended", "noanswer": "ended",
}  # fmt: skip
_DAY_S = 86_400


def _word(call: Call, words: dict[str, str]) -> str:
    expected = ", ".join(dict.fromkeys(words.values()))
    said = call.fields.need("state", f"one of {expected}", 20).lower().replace("-", "_")
    if said not in words:
        raise BadInput("state", f"{said!r}", f"one of {expected}")
    return words[said]


def _seconds(call: Call, name: str) -> int | None:
    text = call.fields.get(name, 12)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) <= _DAY_S):
        raise BadInput(name, f"{text!r}", f"seconds, 0 to {_DAY_S}")
    return int(text)


@hook("desk")
def placed(call: Call) -> str:
    """What came of a call that the exchange placed for a desk."""
    number = call.fields.need("id", "the id that the call was asked with", 60)
    number = number.removeprefix("meldkamer-")
    state, talked_s = _word(call, _PLACED), _seconds(call, "talked_s")
    known = (
        number.isascii()
        and number.isdigit()
        and len(number) < 19
        and desk_calls.heard(call.carrier.pk, int(number), state, call.now, talked_s)
    )
    if not known:
        raise BadInput("id", f"{number[:20]!r} is no call of this exchange", "the id it was asked")
    return ""


@hook("desk")
def incoming(call: Call) -> str:
    """A call that comes in: rings, was answered, or is over."""
    answering.tell(
        call.carrier,
        call.fields.need("id", "the exchange's own number of the call", 120),
        _word(call, _INCOMING),
        call.now,
        caller=call.fields.get("caller", 200),
        called=call.fields.get("called", 200),
        extension=call.fields.get("extension", 24),
    )
    return ""
