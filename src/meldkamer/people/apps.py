"""Staff, their codes and their presence at a desk."""

from typing import Any

from django.apps import AppConfig


def _leave(user: Any, **_: Any) -> None:
    from meldkamer.people.commands import leave_desk

    if user is not None:
        leave_desk(user)


class PeopleConfig(AppConfig):
    name = "meldkamer.people"
    label = "people"

    def ready(self) -> None:
        """Who logs out is no longer at a desk."""
        from django.contrib.auth.signals import user_logged_out

        user_logged_out.connect(_leave, dispatch_uid="people.leave_desk")
