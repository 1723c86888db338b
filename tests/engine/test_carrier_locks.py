"""A carrier fails while something is noted of the house: neither waits for the other."""

from __future__ import annotations

import threading

import pytest
from django.db import transaction

from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.messages import carrier_faults
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.sites import house
from tests.incidents.together import faults, together
from tests.incidents.town import NOW, Town, at

_LIMIT_S = 10.0


@pytest.mark.clause("M12.1")
@pytest.mark.django_db(transaction=True)
def test_a_message_about_the_house_goes_to_a_carrier_that_fails_in_that_moment(
    committed_town: Town,
) -> None:
    provider = committed_town.provider
    provider.practice = False
    provider.save()
    values = {"channel": "voice", "kind": "sip", "state": "up", "help_phone": "+3222000000"}
    first, second = (WayOut.objects.create(name=name, **values) for name in ("first", "second"))
    site = house.house_of(provider, NOW)
    message = OutboxMessage.objects.create(
        channel="voice", provider_id=provider.pk, site_id=site.pk, recipient="sofie",
        address="+32475000001", language="nl", template="supervisor_reminder", body="x",
        clause="M12.2", created_at=NOW, state="sending", carrier=first,
    )  # fmt: skip
    held, done = threading.Event(), threading.Event()

    def refused() -> None:
        """As the first one's line notes that the second is to be asked: site, then message."""
        with transaction.atomic():
            lock_site(site.pk)
            held.set()
            assert done.wait(_LIMIT_S), "the one that fails waits for who notes something"
            OutboxMessage.objects.filter(pk=message.pk).update(state="pending", carrier=second)

    def fails() -> None:
        held.wait(_LIMIT_S)
        carrier_faults.fails(second.pk, "connection refused", at(1))
        done.set()

    assert faults(together(refused, fails)) == []
    second.refresh_from_db()
    assert second.state == "down"
