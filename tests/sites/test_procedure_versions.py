"""Procedures as data: drafted, released by a second person, in force by time, never changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import IntegrityError, transaction

from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.journal.models import Entry
from meldkamer.sites import procedure_commands as commands
from meldkamer.sites import procedure_queries, whole
from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    SiteDraft,
    TransmitterDraft,
    WholeSite,
)
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import ProcedureVersion, Provider, Site
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure
from meldkamer.terms.procedures import read

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
TERMS = load("securitas-2022-05")
HOUR = timedelta(hours=1)
PREMISES = {"do": "call", "who": "premises"}
CONTACTS = {"do": "call", "who": "contacts"}
POLICE = {"do": "request", "service": "police", "when": "verified_and_consulted"}
AGAIN = {"do": "again", "after_s": 300}
TELL = {"do": "tell"}


@pytest.fixture
def securitas(db: None) -> Provider:
    return Provider.objects.create(slug="securitas", name="Securitas", terms="securitas-2022-05")


@pytest.fixture
def site(securitas: Provider) -> Site:
    draft = WholeSite(
        CustomerDraft("An"),
        SiteDraft("Shop", "homeguard", "operator", premises_phone="032345678"),
        (TransmitterDraft("1234"),),
        contacts=(ContactDraft("An", phone="0470000001"), ContactDraft("Bo", phone="0470000002")),
    )
    return whole.bring(securitas, draft, NOW, "test")[0]


def intrusion(*steps: dict[str, Any]) -> Procedure:
    return read(TERMS, "intrusion", list(steps) or [CONTACTS, POLICE, AGAIN, TELL])


def every_tick(row: ProcedureVersion) -> list[str]:
    return ["premises_without_number", "never_by_itself", "nobody_told", "nobody_at_night",
            "police_left_out", "patrol_not_taken"]  # fmt: skip


def released(
    provider: Provider, site: Site | None, procedure: Procedure, at: datetime = NOW, **more: object
) -> ProcedureVersion:
    row = commands.draft(provider, site, procedure, at, "staff:1", **more)  # type: ignore[arg-type]
    return commands.release(row, at, "staff:2", ticked=every_tick(row))


def steps_in_force(site: Site, at: datetime) -> list[str]:
    return [step.id for step in site_facts(site, at).terms.procedure("intrusion").steps]


OF_TERMS = [step.id for step in TERMS.procedure("intrusion").steps]


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[tuple[str, str]]:
    return [(fault.code, fault.clause) for fault in refused.value.faults]


@pytest.mark.clause("S14.1", "S22.1")
def test_a_site_comes_before_its_provider_and_a_period_before_for_good(site: Site) -> None:
    released(site.provider, None, intrusion(PREMISES, CONTACTS, POLICE, TELL))
    assert steps_in_force(site, NOW) == ["premises", "contacts", "police", "tell"]
    released(site.provider, None, intrusion(PREMISES, CONTACTS, TELL), ends_at=NOW + 3 * HOUR)
    assert steps_in_force(site, NOW) == ["premises", "contacts", "tell"]
    released(site.provider, site, intrusion())
    assert steps_in_force(site, NOW) == ["contacts", "police", "again", "tell"]
    released(site.provider, site, intrusion(CONTACTS, POLICE, TELL), ends_at=NOW + HOUR)
    assert steps_in_force(site, NOW) == ["contacts", "police", "tell"]
    # each ends by the time alone, whatever ran or stood still meanwhile
    assert steps_in_force(site, NOW + HOUR) == ["contacts", "police", "again", "tell"]
    before = NOW - timedelta(seconds=1)
    assert steps_in_force(site, before) == OF_TERMS


@pytest.mark.clause("S22.1")
def test_a_version_holds_from_its_date_and_not_before(site: Site) -> None:
    released(site.provider, site, intrusion(), starts_at=NOW + HOUR)
    assert steps_in_force(site, NOW + HOUR - timedelta(seconds=1)) == OF_TERMS
    assert steps_in_force(site, NOW + HOUR) == ["contacts", "police", "again", "tell"]


@pytest.mark.clause("M12.3")
def test_who_wrote_a_procedure_does_not_release_it(site: Site) -> None:
    row = commands.draft(site.provider, site, intrusion(), NOW, "staff:1")
    commands.change(row, intrusion(CONTACTS, POLICE, TELL), NOW, "staff:2")
    for author in ("staff:1", "staff:2"):
        with pytest.raises(Refused) as refused:
            commands.release(row, NOW, author, ticked=every_tick(row))
        assert codes(refused) == [("second_person", "M12.3")]
    commands.release(row, NOW, "staff:3", ticked=every_tick(row))
    told = list(Entry.objects.filter(what__startswith="procedure.").values_list("what", "actor"))
    assert told == [
        ("procedure.drafted", "staff:1"),
        ("procedure.changed", "staff:2"),
        ("procedure.released", "staff:3"),
    ]
    assert set(Entry.objects.filter(what="procedure.released").values_list("clause")) == {
        ("S14.1",)
    }


def test_the_database_keeps_the_second_person(site: Site) -> None:
    row = commands.draft(site.provider, site, intrusion(), NOW, "staff:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        ProcedureVersion.objects.filter(pk=row.pk).update(
            released_by="staff:1", released_at=NOW, starts_at=NOW
        )


@pytest.mark.clause("S14.1", "S15.3")
def test_what_is_against_the_law_is_refused_with_the_rule_named(site: Site) -> None:
    unlawful = intrusion(CONTACTS, POLICE | {"when": "exhausted"}, TELL)
    row = commands.draft(site.provider, site, unlawful, NOW, "staff:1")
    with pytest.raises(Refused) as refused:
        commands.release(row, NOW, "staff:2", ticked=every_tick(row))
    assert codes(refused) == [("law_police_unverified", "S15.3")]
    assert "verified_and_consulted" in str(refused.value)
    assert steps_in_force(site, NOW) == OF_TERMS


@pytest.mark.clause("S14.1")
def test_a_warning_must_be_ticked(site: Site) -> None:
    row = commands.draft(site.provider, site, intrusion(CONTACTS, POLICE), NOW, "staff:1")
    with pytest.raises(Refused) as refused:
        commands.release(row, NOW, "staff:2")
    assert codes(refused) == [("nobody_told", "M3.2")]
    commands.release(row, NOW, "staff:2", ticked=["nobody_told"])
    assert ProcedureVersion.objects.get(pk=row.pk).ticked == ["nobody_told"]


@pytest.mark.clause("S22.1")
def test_a_released_version_never_changes_and_is_only_withdrawn(site: Site) -> None:
    row = released(site.provider, site, intrusion())
    for act in (
        lambda: commands.change(row, intrusion(CONTACTS, TELL), NOW, "staff:4"),
        lambda: commands.discard(row, NOW, "staff:4"),
        lambda: commands.release(row, NOW, "staff:4"),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert codes(refused) == [("not_a_draft", "S22.1")]
    with pytest.raises(Refused):
        commands.withdraw(row, NOW, "staff:4", " ")
    commands.withdraw(row, NOW + HOUR, "staff:4", "the neighbour moved")
    assert steps_in_force(site, NOW + HOUR) == OF_TERMS
    kept = ProcedureVersion.objects.get(pk=row.pk)
    assert msgspec.convert(kept.procedure, Procedure).steps == intrusion().steps
    # what held then is still known: a replay asks for it
    then = procedure_queries.terms_at(TERMS, site.provider_id, site.pk, NOW)
    assert then.procedure("intrusion").version == 1


def test_a_period_that_ends_before_it_starts_is_refused(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        commands.draft(
            site.provider, site, intrusion(), NOW, "staff:1", starts_at=NOW, ends_at=NOW - HOUR
        )
    assert codes(refused) == [("period", "S22.1")]
    row = commands.draft(site.provider, site, intrusion(), NOW, "staff:1", ends_at=NOW + HOUR)
    with pytest.raises(Refused) as refused:
        commands.release(row, NOW + 2 * HOUR, "staff:2", ticked=every_tick(row))
    assert codes(refused) == [("period_over", "S22.1")]


def test_a_contact_of_one_site_is_no_step_of_the_provider(site: Site) -> None:
    procedure = intrusion({"do": "call", "who": "contact", "name": "An"}, POLICE, TELL)
    row = commands.draft(site.provider, None, procedure, NOW, "staff:1")
    with pytest.raises(Refused) as refused:
        commands.release(row, NOW, "staff:2", ticked=every_tick(row))
    assert codes(refused) == [("contact_of_no_site", "S14.1")]


def test_a_new_version_keeps_the_old_ones_and_counts_on(site: Site) -> None:
    first = released(site.provider, site, intrusion())
    second = released(site.provider, site, intrusion(CONTACTS, POLICE, TELL), NOW + HOUR)
    assert (first.number, second.number) == (1, 2)
    assert steps_in_force(site, NOW + HOUR) == ["contacts", "police", "tell"]
    assert steps_in_force(site, NOW) == ["contacts", "police", "again", "tell"]


def test_the_application_itself_may_draft_release_and_withdraw(
    site: Site, as_application: None
) -> None:
    row = released(site.provider, site, intrusion())
    commands.withdraw(row, NOW, "staff:3", "the neighbour moved")
    commands.discard(commands.draft(site.provider, site, intrusion(), NOW, "staff:1"), NOW, "x")
    assert [one.state for one in procedure_queries.of_record(site.provider_id, site.pk)] == [
        "withdrawn"
    ]
