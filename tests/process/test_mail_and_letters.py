"""Mail and letters with a real worker that is killed: nothing is lost, a letter is made once."""

from __future__ import annotations

from collections import Counter

import pytest

from meldkamer.notify import commands as notify
from meldkamer.notify import way_commands
from meldkamer.notify.mail.verp import message_of
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.post.models import Letter
from tests.incidents.town import Town
from tests.notify.mail.peer import Peer
from tests.peers import until
from tests.process.texting import now, work

pytestmark = pytest.mark.slow
_EACH = 60


def write(town: Town, channel: str, number: int) -> OutboxMessage:
    address = f"p{number}@example.be" if channel == "mail" else f"Straat {number}, 9000 Gent"
    return notify.send(
        channel, "resumed", address=address, recipient=f"P {number}", language="nl",
        clause="D908.1", now=now(), facts={"provider": "Securitas", "site": f"Site {number}"},
        provider_id=town.provider.pk, site_id=town.site.pk,
    )  # fmt: skip


def left(channel: str) -> int:
    gone = ("handed_over", "delivered")
    return OutboxMessage.objects.filter(channel=channel, state__in=gone).count()


@pytest.mark.clause("M12.1", "D908.1")
def test_a_worker_that_is_killed_loses_no_mail_and_makes_no_letter_twice(
    town: Town, test_dsn: str
) -> None:
    with Peer() as peer:
        settings = {
            "host": "127.0.0.1", "port": peer.port, "tls": "none", "sender": "a@centre.example",
            "bounce_domain": "b.centre.example", "hello": "centre.example",
        }  # fmt: skip
        way_commands.add("smtp", "mail", now(), settings_given=settings)
        way_commands.add("print_queue", "printer", now())
        for number in range(_EACH):
            write(town, "mail", number)
            write(town, "letter", number)
        with work(test_dsn) as worker:
            until(lambda: len(peer.got) > 5 and Letter.objects.count() > 5, "some went")
            worker.kill()
            worker.start()
            until(lambda: left("mail") == _EACH and left("letter") == _EACH, "all went", 40)
        assert set(WayOut.objects.values_list("state", flat=True)) == {"up"}
        got = Counter(message_of(one.sender) for one in peer.got)
    mails = {row.pk: row for row in OutboxMessage.objects.filter(channel="mail")}
    assert set(got) == set(mails)
    # doubled only where nobody knew whether the server had it, and then counted
    for number, times in got.items():
        assert times <= 1 + mails[number or 0].doubts, number
    assert Letter.objects.count() == _EACH
    refs = set(OutboxMessage.objects.filter(channel="letter").values_list("carrier_ref", flat=True))
    assert refs == {f"letter-{letter.pk}" for letter in Letter.objects.all()}
