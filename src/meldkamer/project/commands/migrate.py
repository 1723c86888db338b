"""Bring the database's tables up to date (as their owner).

Safe to run again, and while the centre works: every migration must leave the old code running.
"""

import argparse
import os


def arguments(parser: argparse.ArgumentParser) -> None:
    """--check tells whether there is something to do, and does nothing."""
    parser.add_argument("--check", action="store_true", help="exit 1 when tables are behind")


def run(options: argparse.Namespace) -> int:
    """Apply what is missing."""
    os.environ["MELDKAMER_DB_ROLE"] = "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
    import django
    from django.core.management import call_command

    django.setup()
    try:
        call_command("migrate", check_unapplied=options.check, interactive=False, verbosity=1)
    except SystemExit as done:  # --check says it by exiting
        return int(done.code or 0)
    if not options.check:
        _make_partitions()
    return 0


def _make_partitions() -> None:
    """The journal's months ahead; what the application's role may do with them."""
    from django.db import connection
    from django.utils import timezone

    from meldkamer.journal import grants, partitions

    if partitions.ensure(connection, timezone.now()):
        grants.renew()
