"""What the desk's tests share: a scene, and browsers of an operator and a supervisor."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from meldkamer.incidents.models import Incident
from meldkamer.people.models import Staff
from meldkamer.sites.models import Site
from tests.console.scene import Scene, burglary


@pytest.fixture(autouse=True)
def no_second_factor(settings: Any) -> None:
    """A test that is about the second factor says so itself."""
    settings.MELDKAMER_SECOND_FACTOR_ROLES = frozenset()


@pytest.fixture
def scene(db: None) -> Scene:
    """Two providers, nothing else yet."""
    return Scene()


@pytest.fixture
def operator(scene: Scene) -> Staff:
    """Eva Maes, who works for Securitas alone."""
    return scene.staff()


@pytest.fixture
def desk(client: Client, operator: Staff) -> Client:
    """Eva's browser, logged in."""
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def site(scene: Scene) -> Site:
    """A site with the option of a patrol."""
    return scene.site(options=("patrol",))


@pytest.fixture
def taken(scene: Scene, site: Site, desk: Client) -> Incident:
    """A burglary in Eva's hands."""
    incident = burglary(scene, site)
    assert desk.post("/take-next/").status_code == 200
    incident.refresh_from_db()
    assert incident.state == "taken"
    return incident
