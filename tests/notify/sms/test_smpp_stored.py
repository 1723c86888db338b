"""A person's text over SMPP and the database: the centre hears "taken" only after COMMIT."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connection

from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.kinds import build
from meldkamer.notify.models import InboundMessage, Receipt, SmsArrival, WayOut
from meldkamer.notify.sms.smpp import SmppCarrier
from tests.notify.sms.centres import PASSWORD, NodeCentre, node_centre, text_of
from tests.peers import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def centre() -> Iterator[NodeCentre]:
    with node_centre() as one:
        one.behave(again_ms=300)
        yield one


@contextmanager
def stored(centre: NodeCentre) -> Iterator[SmppCarrier]:
    """A carrier as its line builds it, connected."""
    centre.forget()
    row = WayOut.objects.create(channel="sms", kind="smpp", name="one", state="up")
    settings = {
        "host": "127.0.0.1", "port": centre.port, "system_id": "arc", "sender": "+32460001122",
    }  # fmt: skip
    carrier = build("smpp", settings, {"password": PASSWORD}, StoringEars(row.pk))
    assert isinstance(carrier, SmppCarrier)
    carrier.open()
    try:
        yield carrier
    finally:
        carrier.close()


@contextmanager
def at_commit(what: str) -> Iterator[None]:
    """Until the block ends, each COMMIT of an answer does this first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {what}; RETURN NULL; END $$"
        )
        cursor.execute(
            "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON notify_inboundmessage"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION at_commit CASCADE")


def _texts() -> list[str]:
    return list(InboundMessage.objects.order_by("id").values_list("text", flat=True))


def test_an_answer_whose_commit_fails_is_withheld_and_stored_once_when_it_comes_again(
    centre: NodeCentre,
) -> None:
    with stored(centre):
        with at_commit("RAISE EXCEPTION 'the disk is full'"):
            centre.mo(b"")
            until(lambda: len(centre.answers("mo")) >= 2, "it is refused twice")
            assert set(centre.answers("mo")) == {0x64}
            assert _texts() == []
        until(lambda: centre.answers("mo")[-1] == 0, "it is taken")
        assert _texts() == [""]
        arrival = until(lambda: SmsArrival.objects.exclude(answered_at=None).first(), "noted")
    assert InboundMessage.objects.get().carrier_ref == f"{arrival.carrier_id}:one.{arrival.pk}"


def test_an_answer_that_was_stored_while_the_line_broke_is_stored_once(
    centre: NodeCentre,
) -> None:
    """The centre never heard that we have it, and brings it again over the next connection."""
    with stored(centre) as carrier:
        with at_commit("PERFORM pg_sleep(0.5)"):
            centre.mo("ok")
            until(lambda: _committing(), "it is being stored")
            centre.tell(drop=True)
            until(lambda: _texts() == ["ok"], "it is stored")
        assert centre.answers("mo") == []
        carrier.close()
        carrier.open()
        until(lambda: centre.answers("mo") == [0], "it is brought again and taken")
        assert _texts() == ["ok"]
        # the next one is another answer of that person
        until(lambda: SmsArrival.objects.exclude(answered_at=None).exists(), "noted")
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        SmsArrival.objects.update(answered_at=long_ago, arrived_at=long_ago)
        centre.mo("ok", name="later")
        until(lambda: centre.answers("later") == [0], "taken")
    assert _texts() == ["ok", "ok"]


def test_receipts_are_stored_once_before_they_are_answered(centre: NodeCentre) -> None:
    centre.behave(receipt="DELIVRD", receipt_times=3)
    with stored(centre) as carrier:
        ref = carrier.send(text_of("x"))
        until(lambda: centre.answers(f"receipt {ref}") == [0, 0, 0], "answered")
    receipt = Receipt.objects.get()
    assert (receipt.ref, receipt.state) == (ref, ReceiptState.DELIVERED)


def _committing() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'"
        )
        return bool(cursor.fetchone()[0])
