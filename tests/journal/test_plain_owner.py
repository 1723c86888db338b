"""An owner of the tables who is no superuser: the usual one against a PostgreSQL of one's own."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from meldkamer.journal import grants

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def plain(owner: Connection) -> Iterator[Connection]:
    """The connection works as a role that may make roles and nothing more."""
    name = f"plain_{secrets.token_hex(4)}"
    owner.execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
    owner.execute(f"SET SESSION AUTHORIZATION {name}")
    yield owner
    owner.execute("RESET SESSION AUTHORIZATION")
    owner.execute(f"DROP ROLE {name}")


@pytest.mark.clause("M12.3")
def test_who_makes_the_applications_role_may_take_it_on(plain: Connection) -> None:
    role = f"{grants.ROLE}_{secrets.token_hex(4)}"
    plain.execute(grants._MAKE_ROLE.replace(grants.ROLE, role))
    try:
        plain.execute(f"SET ROLE {role}")
        plain.execute("RESET ROLE")
        plain.execute(grants._MAKE_ROLE.replace(grants.ROLE, role))  # again: nothing to do
    finally:
        plain.execute(f"DROP ROLE {role}")
