"""What a panel maker's cloud tells of our messages: signed, stored before it is answered (S8.3)."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from django.test import Client

from meldkamer.incidents.messages import receipts
from meldkamer.notify import inbox, way_commands
from meldkamer.notify.models import OutboxMessage, Receipt, WayOut
from meldkamer.notify.push import signing

TOKEN, KEY = "the-token-of-the-cloud's-hook", "agreed with the maker"
HOOK = f"/hooks/{TOKEN}/app/"


@pytest.fixture
def cloud(db: None) -> WayOut:
    row = way_commands.add(
        "app_cloud", "Ajax", datetime.now(UTC),
        settings_given={"address": "https://cloud.example/x"}, secrets={"key": KEY},
    )  # fmt: skip
    row.hook_mac = inbox.hook_mac(TOKEN)
    row.save()
    return row


def tell(client: Client, said: object, key: str = KEY, at_s: int | None = None) -> tuple[int, str]:
    body, at = json.dumps(said).encode(), int(time.time()) if at_s is None else at_s
    answer = client.post(
        HOOK, body, "application/json",
        headers={"Meldkamer-Time": str(at), "Meldkamer-Signature": signing.sign(key, at, body)},
    )  # fmt: skip
    return answer.status_code, answer.content.decode()


@pytest.mark.clause("S8.3", "S16.1")
def test_what_the_cloud_acknowledges_is_written_down_once(client: Client, cloud: WayOut) -> None:
    message = OutboxMessage.objects.create(
        channel="app", template="app", address="+32470001201", recipient="An", language="nl",
        clause="S16.1", body="x", created_at=datetime.now(UTC), cloud="Ajax", carrier=cloud,
        state="handed_over",
    )  # fmt: skip
    OutboxMessage.objects.filter(pk=message.pk).update(carrier_ref=f"cloud-{message.pk}")
    for _ in range(2):
        assert tell(client, {"id": message.pk, "state": "acknowledged"}) == (200, "")
    assert Receipt.objects.count() == 1
    assert receipts.consume_next(datetime.now(UTC))
    message.refresh_from_db()
    assert message.acknowledged_at is not None


def test_who_knows_the_address_and_not_the_key_is_not_believed(
    client: Client, cloud: WayOut
) -> None:
    said = {"id": 1, "state": "acknowledged"}
    for key, at_s in (("guessed", None), ("", None), (KEY, 1_000)):
        status, words = tell(client, said, key, at_s)
        assert status == 400
        assert "receipt: Meldkamer-" in words
    assert client.post(HOOK, said, "application/json").status_code == 400
    assert client.get(HOOK).status_code == 400
    WayOut.objects.filter(pk=cloud.pk).update(secrets_sealed=None)
    assert tell(client, said, "")[0] == 400
    assert not Receipt.objects.exists()


def test_the_hook_of_our_own_push_takes_no_receipts(client: Client, cloud: WayOut) -> None:
    WayOut.objects.filter(pk=cloud.pk).update(kind="webpush")
    status, words = tell(client, {"id": 1, "state": "acknowledged"})
    assert (status, words.startswith("carrier: is no cloud")) == (400, True)


def test_a_state_that_is_none_is_refused_with_those_there_are(
    client: Client, cloud: WayOut
) -> None:
    status, words = tell(client, {"id": 1, "state": "read"})
    assert status == 400
    assert "Invalid enum value 'read'" in words
