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
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.notify.models import InboundMessage, OutboxMessage
from meldkamer.office.sandbox import orders, scene
from meldkamer.office.sandbox.people import answer, candidate
from meldkamer.people.issuing import issue_code, issue_given
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact, Provider, Site
from tests.office.conftest import NOW, person

PAGES = ("sandbox", "home", "new_site")


@pytest.fixture(autouse=True)
def in_the_demo(settings: Any) -> None:
    settings.MELDKAMER_DEMO = True


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
            "contact_id": contact.pk, "site_id": site.pk,
        }
        | values
    )  # fmt: skip


def test_the_sandbox_does_not_exist_outside_the_demo(
    emma: Client, office: Client, bakery: Site, settings: Any
) -> None:
    settings.MELDKAMER_DEMO = False
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
