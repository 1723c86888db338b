"""A burglary at night with a patrol that has a page, and that unit's phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.test import Client

from meldkamer.incidents import commands
from meldkamer.incidents.models import Incident
from meldkamer.notify.models import PatrolJob, PatrolUnit
from meldkamer.notify.patrol import commands as patrols
from meldkamer.people.models import Staff
from meldkamer.sites import site_codes
from meldkamer.sites.models import Site
from tests.console.scene import Scene

GATE = "7204"


class Night:
    """The scene: Apotheek Van Damme is broken into, R12 is two kilometres away."""

    def __init__(self, now: datetime | None = None) -> None:
        self.scene = Scene(now or datetime.now(UTC))
        self.now = self.scene.now
        self.eva: Staff = self.scene.staff("eva")
        self.site: Site = self.scene.site(options=("patrol",))
        site_codes.put(self.site, "gate", GATE, settings.MELDKAMER_SEALING_KEY, self.now, "staff:1")
        self.unit = self.another("R12")
        incident = self.scene.signal(self.site)
        assert incident is not None
        self.incident: Incident = incident
        self.scene.signal(self.site, zone="5", at=self.now + timedelta(seconds=1))
        commands.take(self.eva, incident.pk, self.now)

    def another(self, name: str, latitude: float = 51.0586, **more: Any) -> PatrolUnit:
        """Another unit of the provider, with a page."""
        values: dict[str, Any] = {"has_page": True, "language": "nl", "positioned_at": self.now}
        return PatrolUnit.objects.create(
            provider_id=self.scene.providers["securitas"].pk, name=name, latitude=latitude,
            longitude=3.7172, reported_at=self.now, **(values | more),
        )  # fmt: skip

    def offer(self) -> PatrolJob:
        """Eva asks for the patrol, now."""
        commands.send_patrol(self.eva, self.incident.pk, datetime.now(UTC))
        return PatrolJob.objects.latest("pk")

    def phone(self, client: Client, unit: PatrolUnit | None = None) -> Client:
        """A browser that was let in with link and PIN."""
        issued = patrols.issue((unit or self.unit).pk, self.now, "staff:1")
        sent = {"token": issued.token, "pin": issued.pin}
        answer = client.post("/patrol/enter/", sent)
        assert answer.status_code == 302, answer.content
        return client


def says(phone: Client, of_job: PatrolJob, what: str, **more: Any) -> Any:
    """An entry of the phone; the answer."""
    sent = {"id": str(uuid4()), "job": str(of_job.pk), "kind": what,
            "said_at": datetime.now(UTC).isoformat()}  # fmt: skip
    return phone.post("/patrol/say/", sent | more, headers={"X-Requested-With": "patrol"})
