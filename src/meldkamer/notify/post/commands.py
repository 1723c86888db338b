"""The only writer of letters: queued by the carrier, printed and posted by people.

to print → printed → posted → (came back). Each step says who and when. A letter that is not posted
in time stands on the agenda until it is; posting tells the message's course by a receipt. A test of
the queue is over when it is printed, and is never posted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import QuerySet

from meldkamer.agenda import commands as agenda
from meldkamer.journal import commands as journal
from meldkamer.notify import inbox
from meldkamer.notify.carrier import TEST, Parcel, ReceiptState
from meldkamer.notify.post.models import Letter
from meldkamer.notify.post.paper import Paper
from meldkamer.notify.post.registered import NumberFault, read_number

#: kind of the agenda's rows: a letter that may lie too long
LATE = "letter.late"
_REASON_MOST = 200
_OPEN = (Letter.State.TO_PRINT, Letter.State.PRINTED)


class LetterRefused(ValueError):
    """Nothing was changed; says which letter and why. code: a sentence of the screen."""

    def __init__(self, code: str, letter_id: int, reason: str) -> None:
        super().__init__(f"letter {letter_id}: {reason}")
        self.code, self.letter_id, self.reason = code, letter_id, reason


def ref_of(letter: Letter) -> str:
    """What a receipt names a letter by."""
    return f"letter-{letter.pk}"


@transaction.atomic
def queue(
    parcel: Parcel, carrier_id: int, paper: Paper, late_after_h: float, now: datetime
) -> Letter:
    """Put a finished letter into the queue; the same message's letter when it is there already."""
    letter, new = Letter.objects.get_or_create(
        message_id=parcel.id,
        defaults={
            "carrier_id": carrier_id,
            "provider_id": parcel.provider_id,
            "site_id": parcel.site_id,
            "recipient": parcel.recipient,
            "address": parcel.address,
            "subject": parcel.subject,
            "pages": paper.pages,
            "sha256": sha256(paper.pdf).hexdigest(),
            "content": paper.pdf,
            "made_at": now,
            "late_at": now + timedelta(hours=late_after_h),
        },
    )
    if new:
        _on_agenda(letter, letter.late_at, now)
    return letter


@transaction.atomic
def mark_printed(
    letter_ids: Collection[int], providers: Collection[int], now: datetime, actor: str
) -> list[Letter]:
    """They were printed; in the order of the queue. LetterRefused when one is not to be printed."""
    letters = _locked(letter_ids, providers)
    for letter in letters:
        if letter.state not in _OPEN:
            raise LetterRefused("not_open", letter.pk, f"it is {letter.state} already")
        is_test = letter.message.template == TEST
        letter.state = Letter.State.TESTED if is_test else Letter.State.PRINTED
        letter.printed_at, letter.printed_by, letter.queue_reason = now, actor, ""
        letter.save(update_fields=["state", "printed_at", "printed_by", "queue_reason"])
        _say("letter.printed", letter, now, actor, sha256=letter.sha256)
        if is_test:
            agenda.strike(LATE, f"letter:{letter.pk}", now)
            ref, told = ref_of(letter), ReceiptState.DELIVERED
            inbox.store_receipt(letter.carrier_id, ref, told, now, detail="printed, a test")
    return letters


@transaction.atomic
def back_to_queue(
    letter_ids: Collection[int], providers: Collection[int], reason: str, now: datetime, actor: str
) -> list[Letter]:
    """The printing failed: they are to be printed again."""
    letters = _locked(letter_ids, providers)
    for letter in letters:
        if letter.state != Letter.State.PRINTED:
            raise LetterRefused("not_printed", letter.pk, f"it is {letter.state}, not printed")
        letter.state, letter.queue_reason = Letter.State.TO_PRINT, _reason(letter, reason)
        letter.save(update_fields=["state", "queue_reason"])
        _say("letter.requeued", letter, now, actor, reason=letter.queue_reason)
    return letters


@transaction.atomic
def mark_posted(
    letter_ids: Collection[int],
    providers: Collection[int],
    now: datetime,
    actor: str,
    *,
    numbers: Mapping[int, str] | None = None,
) -> list[Letter]:
    """They went to the post. numbers: of those that were registered, by letter.

    Raises LetterRefused for one that was not printed, or whose number is none.
    """
    letters = _locked(letter_ids, providers)
    for letter in letters:
        if letter.state != Letter.State.PRINTED:
            raise LetterRefused("not_printed", letter.pk, f"it is {letter.state}, not printed")
        letter.registered_number = _number(letter, (numbers or {}).get(letter.pk, ""))
        letter.state, letter.posted_at, letter.posted_by = Letter.State.POSTED, now, actor
        letter.save(update_fields=["state", "posted_at", "posted_by", "registered_number"])
        agenda.strike(LATE, f"letter:{letter.pk}", now)
        number = letter.registered_number
        _say("letter.posted", letter, now, actor, **({"registered": number} if number else {}))
        detail = f"posted, registered {number}" if number else "posted"
        inbox.store_receipt(
            letter.carrier_id, ref_of(letter), ReceiptState.DELIVERED, now, detail=detail
        )
    return letters


@transaction.atomic
def came_back(
    letter_id: int, providers: Collection[int], reason: str, now: datetime, actor: str
) -> Letter:
    """The post brought it back: it was not received."""
    (letter,) = _locked([letter_id], providers)
    if letter.state != Letter.State.POSTED:
        raise LetterRefused("not_posted", letter.pk, f"it is {letter.state}, not posted")
    letter.state, letter.returned_at = Letter.State.RETURNED, now
    letter.return_reason = _reason(letter, reason)
    letter.save(update_fields=["state", "returned_at", "return_reason"])
    _say("letter.returned", letter, now, actor, reason=letter.return_reason)
    inbox.store_receipt(
        letter.carrier_id, ref_of(letter), ReceiptState.FAILED, now,
        detail=f"came back: {letter.return_reason}",
    )  # fmt: skip
    return letter


def still_here(letter_id: int, now: datetime) -> Letter | None:
    """The letter when nobody posted it yet, on the agenda again; None when all is well."""
    letter = Letter.objects.select_for_update().get(pk=letter_id)
    if letter.state not in _OPEN:
        return None
    _on_agenda(letter, now + (letter.late_at - letter.made_at), now)
    return letter


def _on_agenda(letter: Letter, due: datetime, now: datetime) -> None:
    agenda.schedule(LATE, f"letter:{letter.pk}", due, now, payload={"letter": letter.pk})


def _locked(letter_ids: Collection[int], providers: Collection[int]) -> list[Letter]:
    """The letters, locked in order; LetterRefused when one is not of these providers."""
    rows: QuerySet[Letter] = Letter.objects.select_for_update(of=("self",)).select_related(
        "message"
    )
    found = list(rows.filter(pk__in=letter_ids, provider_id__in=providers).order_by("pk"))
    missing = set(letter_ids) - {letter.pk for letter in found}
    if missing:
        raise LetterRefused("not_there", min(missing), "there is no such letter with them")
    if not found:
        raise LetterRefused("none_chosen", 0, "no letter was chosen")
    return found


def _number(letter: Letter, text: str) -> str:
    if not text.strip():
        return ""
    try:
        return read_number(text)
    except NumberFault as fault:
        raise LetterRefused("number", letter.pk, str(fault)) from None


def _reason(letter: Letter, reason: str) -> str:
    words = " ".join(reason.split())[:_REASON_MOST]
    if not words:
        raise LetterRefused("reason", letter.pk, "no reason; expected one")
    return words


def _say(
    word: str, letter: Letter, now: datetime, actor: str, reason: str = "", **data: object
) -> None:
    message = letter.message
    journal.write(
        word,
        now,
        provider_id=letter.provider_id,
        site_id=letter.site_id,
        incident_id=message.incident_id,
        clause=message.clause,
        reason=reason,
        to=letter.recipient,
        actor=actor,
        data={"letter": letter.pk, "message": message.pk, **data},
    )
