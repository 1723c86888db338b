"""The sandbox: practice is impossible to mix up with the real thing, and enters as carriers do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents.messages import practising
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Entry
from meldkamer.notify import outbox, ways
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import InboundMessage, OutboxMessage, PatrolUnit, WayOut
from meldkamer.office.sandbox import orders, scene
from meldkamer.office.sandbox.people import answer, candidate
from meldkamer.people.issuing import issue_code, issue_given
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact, Provider, Site
from tests.office.conftest import NOW, person

PAGES = ("sandbox", "home", "new_site")


@pytest.fixture(autouse=True)
def in_the_demo(settings: Any, securitas: Provider) -> None:
    settings.MELDKAMER_DEMO = True
    securitas.practice = True
    securitas.save()


@pytest.fixture
def emma(securitas: Provider, enter: Callable[[Staff], Client]) -> Client:
    return enter(person("emma", Staff.Role.OPERATOR, securitas))


def text(site: Site, contact: Contact, **values: object) -> OutboxMessage:
    now = datetime.now(UTC)
    return OutboxMessage.objects.create(
        **{
            "channel": "sms", "template": "ladder", "state": "handed_over", "clause": "S7.1",
            "recipient": contact.name, "address": contact.phone, "language": "nl",
            "body": "Securitas: power failure", "created_at": now, "handed_over_at": now,
            "contact_id": contact.pk, "site_id": site.pk, "provider_id": site.provider_id,
        }
        | values
    )  # fmt: skip


def test_the_sandbox_does_not_exist_where_nobody_practises(
    emma: Client, office: Client, bakery: Site, settings: Any
) -> None:
    settings.MELDKAMER_DEMO = False
    Provider.objects.update(practice=False)
    assert emma.get(reverse("office:sandbox")).status_code == 404
    assert emma.get(reverse("office:sandbox_live", args=["phones"])).status_code == 404
    assert emma.post(reverse("office:sandbox_reply"), {"phone": "x"}).status_code == 404
    assert emma.post(reverse("office:sandbox_burglary")).status_code == 404
    for page in ("home", "new_site"):
        html = office.get(reverse(f"office:{page}")).content.decode()
        assert "practice" not in html.lower()
        assert "Burglary now" not in html


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_demo_says_that_it_is_practice(office: Client, page: str) -> None:
    html = office.get(reverse(f"office:{page}")).content.decode()
    assert 'class="banner practice practice-bar"' in html


@pytest.mark.clause("S7.3", "S7.4")
@pytest.mark.parametrize("words", ["ok", "what is it?", ""])
def test_a_reply_typed_on_a_phone_enters_as_a_carrier_brings_it(
    emma: Client, bakery: Site, words: str
) -> None:
    contact = bakery.contacts.get(position=1)
    text(bakery, contact)
    answer = emma.post(reverse("office:sandbox_reply"), {"phone": contact.phone, "text": words})
    assert answer.status_code == 302
    inbound = InboundMessage.objects.get()
    assert (inbound.sender, inbound.text, inbound.consumed_at) == (contact.phone, words, None)
    page = emma.get(answer.headers["Location"]).content.decode()
    assert "Securitas: power failure" in page
    assert (words or "(empty)") in page


def test_a_phone_that_was_not_texted_or_is_anothers_cannot_reply(
    emma: Client, bakery: Site, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    contact = bakery.contacts.get(position=1)
    sent = {"phone": contact.phone, "text": "ok"}
    Provider.objects.update(practice=True)
    assert emma.post(reverse("office:sandbox_reply"), sent).status_code == 400
    text(bakery, contact)
    other = enter(person("dirk", Staff.Role.OPERATOR, dtral))
    assert other.post(reverse("office:sandbox_reply"), sent).status_code == 400
    assert contact.phone not in other.get(reverse("office:sandbox")).content.decode()
    assert emma.post(reverse("office:sandbox_reply"), sent | {"text": "x" * 481}).status_code == 400
    assert not InboundMessage.objects.exists()


def test_without_a_city_the_button_says_so(emma: Client, bakery: Site) -> None:
    page = emma.post(reverse("office:sandbox_burglary"), follow=True).content.decode()
    assert "No city runs here." in page


@pytest.mark.django_db(transaction=True)
def test_the_button_orders_a_burglary_at_the_site(
    securitas: Provider, enter: Callable[[Staff], Client]
) -> None:
    import psycopg

    from meldkamer.sites import whole
    from tests.office.conftest import draft

    bakery, _ = whole.bring(securitas, draft(), NOW, "test")
    emma = enter(person("emma", Staff.Role.OPERATOR, securitas))
    parameters = connection.get_connection_params()
    wanted = {key: parameters[key] for key in ("host", "port", "user", "dbname")}
    with psycopg.connect(**wanted, autocommit=True) as city:
        city.execute(f"LISTEN {orders.CHANNEL}")
        city.execute("SELECT pg_advisory_lock_shared(%s, %s)", orders.MARK)
        sent = {"site": str(bakery.pk), "next": "/office/"}
        answer = emma.post(reverse("office:sandbox_burglary"), sent)
        assert answer.headers["Location"] == "/office/"
        heard = next(iter(city.notifies(timeout=5, stop_after=1)))
    assert orders.read_order(heard.payload) == orders.Burglary(bakery.pk)


def test_the_button_at_the_desk_leaves_the_desk_as_it_is(emma: Client, bakery: Site) -> None:
    answer = emma.post(reverse("office:sandbox_burglary"), headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == reverse("office:sandbox")
    links = Template("{% load sandbox %}{% practice_links %}").render(Context())
    assert reverse("office:sandbox_burglary") in links


def test_the_button_never_leads_to_another_house(emma: Client) -> None:
    sent = {"next": "https://example.org/"}
    answer = emma.post(reverse("office:sandbox_burglary"), sent)
    assert answer.headers["Location"] == reverse("office:sandbox")


def test_a_site_of_another_provider_is_not_broken_into(
    bakery: Site, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    Provider.objects.update(practice=True)
    other = enter(person("dirk", Staff.Role.OPERATOR, dtral))
    sent = {"site": str(bakery.pk)}
    assert other.post(reverse("office:sandbox_burglary"), sent).status_code == 404
    for odd in ("x", "²", "9" * 20, "9" * 5000):
        assert other.post(reverse("office:sandbox_burglary"), {"site": odd}).status_code == 404


@pytest.fixture
def incident(bakery: Site, securitas: Provider) -> Incident:
    staff = person("jef", Staff.Role.OPERATOR, securitas)
    return Incident.objects.create(
        provider=securitas, site=bakery, type="intrusion", priority=1, opened_at=NOW,
        state="taken", owner=f"staff:{staff.pk}", due=NOW, holder=staff, terms=securitas.terms,
    )  # fmt: skip


def place_call(incident: Incident, key: str, what: str = "call.placed") -> None:
    journal.write(
        what, NOW, provider_id=incident.provider_id, site_id=incident.site_id,
        incident_id=incident.pk, to="x", data={"key": key},
    )  # fmt: skip


def test_the_called_person_is_heard_while_it_rings_and_no_longer(incident: Incident) -> None:
    assert scene.running_call(incident) is None
    contact = incident.site.contacts.get(position=2)
    place_call(incident, f"c{contact.pk}")
    call = scene.running_call(incident)
    assert call is not None
    assert call.person == contact.name
    assert call.answer == answer(f"c{contact.pk}", incident.pk, "intrusion", False)
    place_call(incident, f"c{contact.pk}", "call.result")
    assert scene.running_call(incident) is None


def banner(incident: Incident) -> str:
    return Template("{% load sandbox %}{% practice_call incident %}").render(
        Context({"incident": incident.pk})
    )


def test_the_desk_is_told_what_the_called_person_says(incident: Incident, bakery: Site) -> None:
    assert banner(incident) == ""
    contact = bakery.contacts.get(position=1)
    code = candidate(settings.MELDKAMER_CODE_PEPPER, "1234", 1, 0, duress=False)
    issue_given([(contact, code, False)], bakery.provider_id, NOW)
    place_call(incident, f"c{contact.pk}")
    does = answer(f"c{contact.pk}", incident.pk, "intrusion", False)
    html = banner(incident)
    assert "practice" in html
    assert (does.words in html) if does.picks_up == "yes" else ("picks" in html or "voice" in html)
    assert scene.demo_code(contact).replace(" ", "") == code


@pytest.mark.clause("S18.1")
def test_a_code_that_the_office_issued_is_not_told_by_the_sandbox(bakery: Site) -> None:
    contact = bakery.contacts.get(position=1)
    issue_code(contact, NOW, "test")
    assert scene.demo_code(contact) == ""


def test_the_banner_is_empty_outside_the_demo(incident: Incident, settings: Any) -> None:
    place_call(incident, "premises")
    assert banner(incident) != ""
    settings.MELDKAMER_DEMO = False
    assert banner(incident) == ""


def test_the_parts_that_live_are_shown(emma: Client, incident: Incident) -> None:
    place_call(incident, "premises")
    contact = incident.site.contacts.get(position=1)
    text(incident.site, contact)
    calls = emma.get(reverse("office:sandbox_live", args=["calls"])).content.decode()
    assert "Bakkerij Peeters" in calls
    phones = emma.get(reverse("office:sandbox_live", args=["phones"])).content.decode()
    assert contact.phone in phones
    assert emma.get(reverse("office:sandbox_live", args=["keys"])).status_code == 404
    assert not AgendaRow.objects.exists()


def test_who_practises_has_the_page_without_the_demo_and_no_burglaries_on_order(
    emma: Client, office: Client, bakery: Site, settings: Any
) -> None:
    settings.MELDKAMER_DEMO = False
    text(bakery, bakery.contacts.get(position=1))
    page = emma.get(reverse("office:sandbox")).content.decode()
    assert "Securitas: nothing of it leaves this house." in page
    assert bakery.contacts.get(position=1).phone in page
    assert "Burglary" not in page
    assert emma.post(reverse("office:sandbox_burglary")).status_code == 404
    home = office.get(reverse("office:home")).content.decode()
    assert "banner practice practice-bar" in home


@pytest.mark.clause("M12.4")
@pytest.mark.parametrize(
    ("language", "word"),
    [("nl", "Oefening"), ("fr", "Exercice"), ("de", "Übung"), ("en", "Practice")],
)
def test_practice_is_said_on_every_page_in_four_languages(
    office: Client, bakery: Site, language: str, word: str
) -> None:
    office.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for address in (
        reverse("office:home"), reverse("office:sandbox"), reverse("office:carriers"),
        reverse("office:site", args=[bakery.pk]),
    ):  # fmt: skip
        html = office.get(address).content.decode()
        assert "banner practice practice-bar" in html
        colon = "\N{NO-BREAK SPACE}:" if language == "fr" else ":"
        assert f"<b>{word}</b> Securitas{colon}" in html


def test_a_message_that_left_the_house_is_nobodys_to_read_or_answer_here(
    emma: Client, bakery: Site
) -> None:
    """Only the texts are in the sandbox: what goes by mail or to the app is real."""
    Provider.objects.update(practice=False)
    contact = bakery.contacts.get(position=1)
    WayOut.objects.create(
        channel="sms", kind="sandbox", name="sandbox", provider_id=bakery.provider_id
    )
    inside = text(bakery, contact)
    real = text(bakery, contact, channel="app", body="a real message of the app")
    text(bakery, contact, channel="mail", address="an@peeters.example", body="a real mail")
    page = emma.get(f"{reverse('office:sandbox')}?phone={contact.phone}".replace("+", "%2B"))
    html = page.content.decode()
    assert inside.body in html
    assert "a real" not in html
    assert "Securitas (Texts)" in html
    emma.post(reverse("office:sandbox_answer", args=[real.pk]), {"answer": "seen"})
    with pytest.raises(practising.NotHere):
        practising.answer(real.pk, ReceiptState.ACKNOWLEDGED, "", datetime.now(UTC))
    real.refresh_from_db()
    assert real.acknowledged_at is None


@pytest.mark.clause("S16.1", "S19.1")
@pytest.mark.parametrize(
    ("channel", "word", "what"),
    [
        ("app", "seen", "message.acknowledged"),
        ("voice", "key", "message.acknowledged"),
        ("voice", "nobody", "message.unanswered"),
    ],
)
def test_a_key_or_a_touch_is_what_a_carrier_would_tell(
    emma: Client, bakery: Site, channel: str, word: str, what: str
) -> None:
    contact = bakery.contacts.get(position=1)
    message = text(bakery, contact, channel=channel, template="app", clause="S16.1")
    part = "calls" if channel == "voice" else "lines"
    live = f"{reverse('office:sandbox_live', args=[part])}?phone={contact.phone}"
    address = reverse("office:sandbox_answer", args=[message.pk])
    assert address in emma.get(live.replace("+", "%2B")).content.decode()
    assert emma.post(address, {"answer": "perhaps"}).status_code == 404
    for _ in range(2):
        assert emma.post(address, {"answer": word}).status_code == 302
    entry = Entry.objects.get(what=what)
    assert (entry.clause, entry.recipient) == ("S16.1", contact.name)
    assert address not in emma.get(live.replace("+", "%2B")).content.decode()


def test_phones_mailboxes_and_letters_are_told_apart(emma: Client, bakery: Site) -> None:
    contact = bakery.contacts.get(position=1)
    text(bakery, contact)
    text(bakery, contact, channel="mail", address="an@peeters.example")
    text(bakery, contact, channel="letter", address="Kerkstraat 12, 2800 Mechelen")
    PatrolUnit.objects.create(
        provider_id=bakery.provider_id, name="R07", reported_at=datetime.now(UTC)
    )
    page = emma.get(reverse("office:sandbox")).content.decode()
    for words in ("Phones", "Mailboxes", "Letters", "R07"):
        assert f">{words}<" in page
    mail = emma.get(f"{reverse('office:sandbox')}?phone=an@peeters.example").content.decode()
    assert "Reply from this phone" not in mail
    reply = emma.post(reverse("office:sandbox_reply"), {"phone": "an@peeters.example", "text": ""})
    assert reply.status_code == 400


@pytest.mark.clause("M12.1")
def test_no_carrier_gets_a_message_of_a_provider_that_practises(bakery: Site) -> None:
    """By construction: the one statement that takes messages leaves them out."""
    row = WayOut.objects.create(channel="sms", kind="smpp", name="real", state="up", two_way=True)
    contact = bakery.contacts.get(position=1)
    free = text(bakery, contact, state="pending", handed_over_at=None)
    pinned = text(bakery, contact, state="pending", handed_over_at=None, carrier=row)
    mine = [(bakery.provider_id, True), (bakery.provider_id, False)]

    def claimed() -> list[int]:
        found = outbox.claim(ways.facts(row, datetime.now(UTC)), mine, 10, datetime.now(UTC))
        return sorted(one.parcel.id for one in found)

    assert claimed() == []
    Provider.objects.update(practice=False)
    WayOut.objects.create(channel="sms", kind="sandbox", name="box", provider_id=bakery.provider_id)
    assert claimed() == []
    # and the red twin: without practice and without a sandbox both are taken
    WayOut.objects.filter(name="box").update(enabled=False)
    assert claimed() == [free.pk, pinned.pk]


def test_patrols_of_two_providers_are_told_apart_and_their_state_is_in_the_readers_language(
    securitas: Provider, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    dtral.practice = True
    dtral.save()
    for provider, state in ((securitas, "free"), (dtral, "off")):
        PatrolUnit.objects.create(
            provider_id=provider.pk, name="Delta 1", state=state, reported_at=NOW
        )
    clerk = enter(person("karel", Staff.Role.OFFICE, securitas, dtral))
    clerk.cookies[settings.LANGUAGE_COOKIE_NAME] = "nl"
    said = clerk.get(reverse("office:sandbox")).content.decode()
    assert "Securitas · vrij" in said
    assert "D&#x27;Tral · buiten dienst" in said
