"""What the settings promise, and what a wrong environment is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meldkamer.project.database import DatabaseUrlFault, conninfo, django_database


def setting(expression: str, tmp_path: Path, **environment: str) -> str:
    """An expression of `settings`, evaluated by a fresh process in that environment."""
    bare = {name: text for name, text in os.environ.items() if not name.startswith("MELDKAMER")}
    return subprocess.run(
        [sys.executable, "-c", f"from meldkamer.project import settings; print({expression})"],
        env=bare | {"MELDKAMER_VAR": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_cookies_are_secure_except_in_the_demo(tmp_path: Path) -> None:
    both = "settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE"
    assert setting(both, tmp_path) == "True True"
    assert setting(both, tmp_path, MELDKAMER_DEMO="on") == "False False"


def test_a_supervisor_needs_a_second_factor_unless_an_installation_says_otherwise(
    tmp_path: Path,
) -> None:
    roles = "sorted(settings.MELDKAMER_SECOND_FACTOR_ROLES)"
    assert setting(roles, tmp_path) == "['supervisor']"
    some = setting(roles, tmp_path, MELDKAMER_SECOND_FACTOR_ROLES="supervisor office")
    assert some == "['office', 'supervisor']"


def test_no_script_or_style_is_allowed_inside_a_page() -> None:
    from django.conf import settings

    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert directives["script-src"] == ["'self'"]
    assert directives["style-src"] == ["'self'"]
    assert not any("unsafe" in source for sources in directives.values() for source in sources)


def test_debug_is_off_and_passwords_are_hashed_with_argon2() -> None:
    from django.conf import settings

    assert settings.DEBUG is False
    assert settings.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")


def test_the_application_carries_its_role_and_the_owner_does_not() -> None:
    url = {"DATABASE_URL": "postgresql://me@localhost:5433/centre"}
    assert "role=meldkamer_app" in conninfo(url)
    assert "role=" not in conninfo(url, "owner")
    assert "role=" not in conninfo(url | {"MELDKAMER_DB_ROLE": "owner"})
    made = django_database(url)
    assert (made["NAME"], made["USER"], made["HOST"], made["PORT"]) == (
        "centre",
        "me",
        "localhost",
        "5433",
    )


def test_options_of_a_database_url_are_kept_beside_the_role() -> None:
    url = "postgresql://me@localhost/centre?options=-c%20statement_timeout%3D5000"
    assert "statement_timeout=5000 -c role=meldkamer_app" in conninfo({"DATABASE_URL": url})


@pytest.mark.parametrize(
    ("url", "complaint"),
    [("postgresql://me@localhost", "names no database"), ("nonsense", "cannot be read")],
)
def test_a_database_url_that_cannot_be_used_is_explained(url: str, complaint: str) -> None:
    with pytest.raises(DatabaseUrlFault, match=complaint):
        conninfo({"DATABASE_URL": url})


@pytest.mark.parametrize(
    "url", ["mysql://me:hush@host/centre", "postgresql://me:hush@[::bad", "postgres:hush"]
)
def test_a_wrong_database_url_is_never_repeated_for_it_holds_a_password(url: str) -> None:
    with pytest.raises(DatabaseUrlFault, match="expected postgresql://") as fault:
        conninfo({"DATABASE_URL": url})
    assert "hush" not in str(fault.value)


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(DatabaseUrlFault, match="expected 'app' or 'owner'"):
        conninfo({"DATABASE_URL": "dbname=x", "MELDKAMER_DB_ROLE": "root"})


@pytest.mark.django_db
@pytest.mark.clause("M12.3")
def test_the_application_cannot_change_or_empty_the_journal(as_application: None) -> None:
    from django.db import ProgrammingError, connection, transaction

    for command in ("UPDATE journal_entry SET actor = ''", "DELETE FROM journal_signal"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(command)
