"""Django's management commands (makemigrations, shell, …), as the owner of the tables."""

import os
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Hand the arguments to Django as they are."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
    os.environ.setdefault("MELDKAMER_DB_ROLE", "owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["meldkamer manage", *argv])
    return 0
