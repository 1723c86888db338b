"""The journal app; grants of the application's role are renewed after every migration."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _renew_grants(using: str, **_: Any) -> None:
    from meldkamer.journal.grants import renew

    renew(using)


class JournalConfig(AppConfig):
    name = "meldkamer.journal"
    label = "journal"

    def ready(self) -> None:
        """Grants follow the tables of every app, so they are renewed after each migrate."""
        post_migrate.connect(_renew_grants, sender=self)
