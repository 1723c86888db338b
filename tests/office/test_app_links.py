"""The office gives a contact's phone the app, and takes it back (S8.3, S22.1)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from meldkamer.journal.models import Entry
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.push.models import AppLink
from meldkamer.sites.models import Site


@pytest.mark.clause("S8.3", "M12.4")
def test_a_link_goes_to_the_contact_alone_and_in_his_language(
    office: Client, bakery: Site, settings: Any
) -> None:
    settings.MELDKAMER_APP_ADDRESS = "https://alarm.example/"
    an = bakery.contacts.get(position=1)
    page = office.post(f"/office/sites/{bakery.pk}/contacts/{an.pk}/app/", follow=True)
    [text] = OutboxMessage.objects.all()
    assert (text.channel, text.template, text.address, text.clause) == (
        "sms", "app_link", an.phone, "S8.3",
    )  # fmt: skip
    assert text.language == an.language == "nl"
    [link] = re.findall(r"https://alarm\.example/app/join/[\w-]{40,}/", text.body)
    assert link.split("/")[-2] not in page.content.decode()
    assert "A link to the app went to" in page.content.decode()
    assert Entry.objects.filter(what="app.link_issued", clause="S8.3", site_id=bakery.pk).exists()
    phone = Client()
    assert phone.get(link.removeprefix("https://alarm.example")).status_code == 200


def test_who_may_not_be_texted_gets_it_by_mail_and_who_has_neither_is_refused(
    office: Client, bakery: Site
) -> None:
    els = bakery.contacts.get(position=3)
    address = f"/office/sites/{bakery.pk}/contacts/{els.pk}/app/"
    refused = office.post(address, follow=True).content.decode()
    assert "Give a telephone number or an e-mail address." in refused
    assert not AppLink.objects.exists()
    els.email = "els@maes.example"
    els.save()
    office.post(address)
    [mail] = OutboxMessage.objects.all()
    assert (mail.channel, mail.address) == ("mail", "els@maes.example")
    assert mail.subject
    assert "http://testserver/app/join/" in mail.body


@pytest.mark.clause("S22.1")
def test_the_list_says_who_has_the_app_and_it_can_be_taken_back(
    office: Client, bakery: Site
) -> None:
    an = bakery.contacts.get(position=1)
    list_, base = f"/office/sites/{bakery.pk}/contacts/", f"/office/sites/{bakery.pk}/contacts/"
    assert "Take the app back" not in office.get(list_).content.decode()
    office.post(f"{base}{an.pk}/app/")
    assert "link sent" in office.get(list_).content.decode()
    body = OutboxMessage.objects.get().body
    token = re.findall(r"/app/join/([\w-]+)/", body)[0]
    Client().post(f"/app/join/{token}/")
    assert token not in OutboxMessage.objects.get().body
    assert "gets no messages yet" in office.get(list_).content.decode()
    page = office.post(f"{base}{an.pk}/no_app/", follow=True).content.decode()
    assert "No phone of An Peeters has the app." in page
    assert AppLink.objects.get().voided_at is not None
    course = office.get(f"/office/sites/{bakery.pk}/course/").content.decode()
    for words in ("link to the app sent", "app on a phone", "app taken back"):
        assert words in course


def test_another_providers_contact_does_not_exist(office: Client, bakery: Site, dtral: Any) -> None:
    Site.objects.filter(pk=bakery.pk).update(provider=dtral)
    an = bakery.contacts.get(position=1)
    for act in ("app", "no_app"):
        answer = office.post(f"/office/sites/{bakery.pk}/contacts/{an.pk}/{act}/")
        assert answer.status_code == 404
    assert not AppLink.objects.exists()
