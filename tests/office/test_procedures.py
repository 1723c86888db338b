"""Procedures in the office: drafted, moved step by step, checked, released by a second person."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.sites import procedure_queries
from meldkamer.sites.models import ProcedureVersion, Provider, Site
from tests.office.conftest import person


@pytest.fixture
def colleague(securitas: Provider, enter: Callable[[Staff], Client]) -> Client:
    return enter(person("lies", Staff.Role.OFFICE, securitas))


def begin(office: Client, site: Site, name: str = "intrusion") -> ProcedureVersion:
    answer = office.post(reverse("office:new_site_procedure", args=[site.pk]), {"name": name})
    assert answer.status_code == 302
    return ProcedureVersion.objects.latest("pk")


def fields(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"reason": "asked by mail", "exhausted": "nobody_reached"} | more
    for place, step in enumerate(steps):
        found |= {f"step{place}-{name}": value for name, value in step.items()}
    return found


CONTACTS = {"kind": "call", "who": "contacts"}
AN = {"kind": "call", "who": "contact:An Peeters"}
TOM = {"kind": "call", "who": "contact:Tom Maes"}
POLICE = {"kind": "request", "service": "police", "when": "verified_and_consulted"}
AGAIN = {"kind": "again", "after_s": "5m"}
TELL = {"kind": "tell"}


def page(version: ProcedureVersion, name: str = "procedure") -> str:
    return reverse(f"office:{name}", args=[version.pk])


def steps(version: ProcedureVersion) -> list[str]:
    version.refresh_from_db()
    return [step["id"] for step in version.procedure["steps"]]


def test_a_draft_begins_as_what_holds(office: Client, bakery: Site) -> None:
    draft = begin(office, bakery)
    assert steps(draft) == ["premises", "contacts", "police", "patrol", "again", "tell"]
    shown = office.get(page(draft)).content.decode()
    assert "Nobody answers" in shown
    assert "S15.3" in shown
    assert "You wrote this draft" in shown


@pytest.mark.clause("S14.1", "S22.1", "M12.3")
def test_a_change_is_saved_and_released_by_a_second_person(
    office: Client, colleague: Client, bakery: Site
) -> None:
    draft = begin(office, bakery)
    changed = fields(TOM, AN, POLICE, AGAIN, TELL, act="save")
    assert office.post(page(draft), changed).status_code == 302
    assert steps(draft) == ["contact", "contact_2", "police", "again", "tell"]
    office.post(page(draft, "procedure_release"))
    draft.refresh_from_db()
    assert draft.state == "draft"
    refused = office.get(page(draft)).content.decode()
    assert "Who wrote a procedure does not release it. Ask a colleague. (M12.3)" in refused
    seen = colleague.get(page(draft)).content.decode()
    assert "Step 1 removed: Call the premises" in seen
    colleague.post(page(draft, "procedure_release"))
    draft.refresh_from_db()
    assert draft.state == "released"
    told = Entry.objects.filter(what="procedure.released").get()
    assert (told.clause, told.site_id, told.reason) == ("S14.1", bakery.pk, "asked by mail")
    assert "added, place 1: call Tom Maes (S15.2)" in told.data["differences"]
    listed = office.get(reverse("office:site_procedures", args=[bakery.pk])).content.decode()
    assert "of this site, version 1" in listed
    assert (
        "procedure released"
        in office.get(reverse("office:course", args=[bakery.pk])).content.decode()
    )


@pytest.mark.clause("S14.1", "S15.3")
def test_what_is_against_the_law_is_shown_at_once_and_never_released(
    office: Client, colleague: Client, bakery: Site
) -> None:
    draft = begin(office, bakery)
    unlawful = fields(CONTACTS, POLICE | {"when": "exhausted"}, TELL, act="save")
    shown = office.post(page(draft, "procedure_preview"), unlawful).content.decode()
    assert "police only when verified and somebody was consulted" in shown
    assert "S15.3" in shown
    office.post(page(draft), unlawful)
    seen = colleague.get(page(draft)).content.decode()
    assert "It cannot be released" in seen
    colleague.post(page(draft, "procedure_release"))
    draft.refresh_from_db()
    assert draft.state == "draft"
    assert "(S15.3)" in colleague.get(page(draft)).content.decode()


def test_a_warning_is_ticked_by_who_releases(
    office: Client, colleague: Client, bakery: Site
) -> None:
    draft = begin(office, bakery)
    office.post(page(draft), fields(CONTACTS, POLICE, act="save"))
    assert "Accepted:" in colleague.get(page(draft)).content.decode()
    colleague.post(page(draft, "procedure_release"))
    draft.refresh_from_db()
    assert draft.state == "draft"
    colleague.post(page(draft, "procedure_release"), {"ticked": "nobody_told"})
    draft.refresh_from_db()
    assert (draft.state, draft.ticked) == ("released", ["nobody_told"])


def test_steps_are_moved_added_and_removed_on_the_page_and_stored_when_saved(
    office: Client, bakery: Site
) -> None:
    draft = begin(office, bakery)
    typed = fields(AN, TOM, POLICE, TELL)
    moved = office.post(page(draft), typed | {"act": "up:1"}).content.decode()
    assert moved.index('value="contact:Tom Maes" selected') < moved.index(
        'value="contact:An Peeters" selected'
    )
    assert "data-focus" in moved
    added = office.post(page(draft), typed | {"act": "add:patrol"}).content.decode()
    assert 'name="step4-kind" value="patrol"' in added
    removed = office.post(page(draft), typed | {"act": "remove:0"}).content.decode()
    assert 'name="step3-kind"' not in removed
    for strange in ("up:99", "remove:x", "add:shout", "jump", "up:-1"):
        assert office.post(page(draft), typed | {"act": strange}).status_code == 200
    assert steps(draft) == ["premises", "contacts", "police", "patrol", "again", "tell"]


def test_faults_keep_what_was_typed(office: Client, bakery: Site) -> None:
    draft = begin(office, bakery)
    empty = office.post(page(draft), fields(AN, AGAIN | {"after_s": "soon"}, reason="", act="save"))
    assert empty.status_code == 422
    shown = empty.content.decode()
    assert "soon" in shown
    assert "Nothing was saved." in shown
    nobody = office.post(page(draft), fields(TELL, act="save"))
    assert nobody.status_code == 422
    assert "nobody is called" in nobody.content.decode()
    number = {"kind": "number", "name": "", "phone": ""}
    assert office.post(page(draft), fields(number, act="save")).status_code == 422
    backwards = fields(
        AN, TELL, act="save", starts_at="2027-01-02T10:00", ends_at="2027-01-01T10:00"
    )
    assert "It ends before it starts." in office.post(page(draft), backwards).content.decode()
    assert office.post(page(draft), fields(AN, reason="a\0b")).status_code == 400
    assert steps(draft)[0] == "premises"


@pytest.mark.clause("S22.1")
def test_a_provider_has_procedures_too_and_a_version_is_withdrawn_with_a_reason(
    office: Client, colleague: Client, securitas: Provider, bakery: Site
) -> None:
    assert office.post(reverse("office:new_procedure"), {"name": "nothing"}).status_code == 404
    office.post(reverse("office:new_procedure"), {"name": "open_close", "provider": "securitas"})
    draft = ProcedureVersion.objects.get()
    assert draft.site is None
    office.post(
        page(draft), fields(CONTACTS, AGAIN, AGAIN, TELL, act="save", ends_at="2099-01-01T00:00")
    )
    waiting = colleague.get(reverse("office:procedures")).content.decode()
    assert "Waiting for a second person" in waiting
    colleague.post(page(draft, "procedure_release"), {"ticked": "never_by_itself"})
    draft.refresh_from_db()
    assert draft.state == "released"
    assert (
        "of the provider, version 1"
        in office.get(reverse("office:site_procedures", args=[bakery.pk])).content.decode()
    )
    colleague.post(page(draft, "procedure_withdraw"), {"reason": ""})
    assert "(M12.3)" in colleague.get(page(draft)).content.decode()
    colleague.post(page(draft, "procedure_withdraw"), {"reason": "too many calls"})
    draft.refresh_from_db()
    assert draft.state == "withdrawn"
    released = procedure_queries.released(securitas.pk, bakery.pk)
    assert [version.withdrawn_at is not None for version in released] == [True]


def test_a_draft_is_discarded_and_a_stranger_sees_none(
    office: Client, bakery: Site, dtral: Provider, enter: Callable[[Staff], Client]
) -> None:
    draft = begin(office, bakery)
    stranger = enter(person("jan", Staff.Role.OFFICE, dtral))
    for name in ("procedure", "procedure_preview", "procedure_release", "procedure_withdraw",
                 "procedure_discard"):  # fmt: skip
        method = stranger.get if name == "procedure" else stranger.post
        assert method(page(draft, name)).status_code == 404
    operator = enter(person("emma", Staff.Role.OPERATOR, dtral))
    assert operator.get(reverse("office:procedures")).status_code == 403
    office.post(page(draft, "procedure_discard"))
    assert not ProcedureVersion.objects.exists()


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_the_pages_speak_every_language(office: Client, bakery: Site, language: str) -> None:
    draft = begin(office, bakery, "fire")
    office.cookies["django_language"] = language
    for address in (page(draft), reverse("office:procedures"),
                    reverse("office:site_procedures", args=[bakery.pk])):  # fmt: skip
        assert office.get(address).status_code == 200


def test_hours_in_which_a_contact_can_be_reached_are_kept(office: Client, bakery: Site) -> None:
    contact = bakery.contacts.order_by("position").first()
    assert contact is not None
    address = reverse("office:contact", args=[bakery.pk, contact.pk])
    values = {"name": contact.name, "phone": contact.phone, "language": "nl"}
    wrong = office.post(address, values | {"reachable": "by day"})
    assert wrong.status_code == 422
    assert "expected hours as mon-fri" in wrong.content.decode()
    office.post(address, values | {"reachable": "mon-fri 08:00-18:00"})
    contact.refresh_from_db()
    assert contact.reachable == "mon-fri 08:00-18:00"


def test_the_page_says_what_comes_before_an_operator(office: Client, bakery: Site) -> None:
    draft = begin(office, bakery, "technical")
    shown = office.get(page(draft)).content.decode()
    assert "First the contacts are texted; this begins when nobody confirms." in shown
    burglary = office.get(page(begin(office, bakery))).content.decode()
    assert "First the contacts are texted" not in burglary


def test_one_type_may_have_a_procedure_of_its_own(
    office: Client, colleague: Client, bakery: Site
) -> None:
    shown = office.get(reverse("office:site_procedures", args=[bakery.pk])).content.decode()
    assert '<option value="sabotage">Sabotage</option>' in shown
    draft = begin(office, bakery, "sabotage")
    assert draft.procedure["types"] == ["sabotage"]
    office.post(page(draft), fields(CONTACTS, POLICE, TELL, act="save"))
    colleague.post(page(draft, "procedure_release"))
    listed = office.get(reverse("office:site_procedures", args=[bakery.pk])).content.decode()
    assert "of this site, version 1" in listed
    assert listed.count("of this site") == 1  # burglary keeps the terms file's
