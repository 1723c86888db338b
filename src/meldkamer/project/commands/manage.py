"""Django's management commands (makemigrations, shell, …), as the owner of the tables."""

import os
import warnings
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Hand the arguments to Django as they are."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
    os.environ.setdefault("MELDKAMER_DB_ROLE", "owner")
    if argv[:1] == ["makemigrations"]:  # it compares files; the database need not be up
        warnings.filterwarnings("ignore", "Got an error checking a consistent migration history")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["meldkamer manage", *argv])
    return 0
