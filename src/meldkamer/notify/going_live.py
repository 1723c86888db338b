"""Practice: a provider, or one channel of one, whose messages stay in the house; and going live.

What was made in practice never goes out, and nothing real may wait when practice begins.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from meldkamer.notify import way_commands
from meldkamer.notify.commands import wait_for_senders
from meldkamer.notify.kinds import SANDBOX, SettingsFault
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.outbox import UNSENT, WAYS
from meldkamer.sites import providers
from meldkamer.sites.models import Provider


@transaction.atomic
def set_practice(provider_id: int, on: bool, now: datetime, actor: str) -> int:
    """This provider practises from now on, or goes live; how many messages were cancelled.

    What was made before and did not go yet belongs to the other side: a text of an exercise must
    not reach a customer, nor an alarm end on the sandbox page unseen. So nothing changes while
    real messages wait: SettingsFault says how many.
    """
    unsent = _unsent(provider_id)
    practises = Provider.objects.filter(pk=provider_id, practice=True).exists()
    count = 0
    if practises and not on:
        count = _cancel(unsent)
    elif on and not practises and (waiting := unsent.count()):
        raise SettingsFault(f"real messages wait: {waiting}; expected none before practice begins")
    providers.set_practice(provider_id, on, now, actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAYS])
    return count


def _unsent(provider_id: int) -> QuerySet[OutboxMessage]:
    """What did not leave yet; nobody writes more of it until this transaction is over."""
    wait_for_senders(provider_id)
    return OutboxMessage.objects.filter(provider_id=provider_id, state__in=UNSENT)


def _cancel(unsent: QuerySet[OutboxMessage]) -> int:
    ids = list(unsent.select_for_update().values_list("pk", flat=True))
    OutboxMessage.objects.filter(pk__in=ids).update(
        state=OutboxMessage.State.CANCELLED, last_fault="made in practice"
    )
    return len(ids)


@transaction.atomic
def put_in_sandbox(provider_id: int, channel: str, inside: bool, now: datetime, actor: str) -> None:
    """A channel of a provider into the sandbox, or out of it; never while its carriers are on.

    Out: what was made in practice and did not go yet is cancelled. In: nothing real may wait.
    SettingsFault says what stands in the way.
    """
    unsent = _unsent(provider_id).filter(channel=channel)
    box = WayOut.objects.filter(provider_id=provider_id, channel=channel, kind=SANDBOX).first()
    before = box is not None and box.enabled
    if before == inside:
        return
    if inside and (waiting := unsent.count()):
        raise SettingsFault(f"real messages wait: {waiting}; expected none before practice begins")
    if not inside:
        _cancel(unsent)
    if box is None:
        way_commands.add(
            SANDBOX, SANDBOX, now, provider_id=provider_id, channel=channel, actor=actor
        )
    else:
        way_commands.change(box.pk, now, values={"enabled": inside}, actor=actor)
