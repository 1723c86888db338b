"""A supervisor says where he is called about what nobody takes; nobody else is asked."""

from __future__ import annotations

import pytest
from django.test import Client

from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from tests.console.scene import Scene
from tests.console.test_access import logged_in


@pytest.mark.clause("M12.3")
@pytest.mark.parametrize(
    ("typed", "status", "kept"),
    [("0475 12 34 56", 302, "+32475123456"), ("", 302, ""), ("soon", 400, "")],
)
def test_a_supervisor_says_where_he_is_called(
    scene: Scene, typed: str, status: int, kept: str
) -> None:
    an = scene.staff("an", role=Staff.Role.SUPERVISOR)
    answer = logged_in(an).post("/choose/", {"phone": typed})
    assert answer.status_code == status
    an.refresh_from_db()
    assert an.phone == kept
    told = Entry.objects.filter(what="staff.phone_changed")
    assert [(e.recipient, e.clause, e.actor) for e in told] == (
        [("an", "M12.3", "an")] if status == 302 else []
    )


def test_the_page_asks_supervisors_alone(scene: Scene, desk: Client, operator: Staff) -> None:
    an = scene.staff("an", role=Staff.Role.SUPERVISOR)
    assert b'name="phone" type="tel"' in logged_in(an).get("/").content
    assert b'name="phone" type="tel"' not in desk.get("/").content
    assert desk.post("/choose/", {"phone": "+32475123456"}).status_code == 403
    operator.refresh_from_db()
    assert operator.phone == ""
