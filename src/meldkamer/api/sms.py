"""Replies and receipts that an SMS gateway brings (S7.3, S7.4, S7.10).

Nothing is decided here: both are stored, and consumed by the house like signals.
"""

from __future__ import annotations

from meldkamer.api.door import Call, hook
from meldkamer.api.fields import BadInput
from meldkamer.notify import inbox
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.sms.hook_names import names_of
from meldkamer.notify.sms.senders import e164

_NUMBER_MOST, _REF_MOST = 60, 120
#: ten joined texts and some; a longer one is refused before it is decoded (see `fields`)
_TEXT_MOST = 20_000


@hook("sms")
def reply(call: Call) -> str:
    """A person's text. The same id is stored once; the empty text is kept (S7.4).

    The answer has no words: a gateway like Kannel would text them to the sender.
    """
    names = names_of(call.carrier.settings)
    sender = call.fields.need(names.sender, "the number it came from", _NUMBER_MOST)
    text = call.fields.text(names.text, call.fields.get(names.charset, _NUMBER_MOST))
    if text is None:
        if not names.empty_left_out:
            raise BadInput(names.text, "is missing", "the words; they may be empty")
        text = ""
    if len(text) > _TEXT_MOST:
        raise BadInput(names.text, f"has {len(text)} characters", f"at most {_TEXT_MOST}")
    inbox.store_reply(
        call.carrier.pk, e164(sender, names.country), text, call.now,
        to=call.fields.get(names.to, _NUMBER_MOST), ref=call.fields.get(names.id),
    )  # fmt: skip
    return ""


@hook("sms")
def receipt(call: Call) -> str:
    """What became of a text; "on its way" changes nothing and is not stored."""
    names = names_of(call.carrier.settings)
    ref = call.fields.need(names.ref, "the message's reference", _REF_MOST)
    word = call.fields.need(names.state, "what became of it", _NUMBER_MOST)
    state = names.state_of(word)
    if state is None:
        raise BadInput(names.state, repr(word), f"one of {', '.join(names.words())}")
    if state != "on_its_way":
        detail = call.fields.get(names.detail)
        inbox.store_receipt(call.carrier.pk, ref, ReceiptState(state), call.now, detail=detail)
    return ""
