"""From a DATABASE_URL to Django's settings and to a connection string for psycopg.

One place says who connects as whom: the application carries the role `meldkamer_app`
(`options=-c role=…`); only what changes tables connects as the owner. Without DATABASE_URL it
is the embedded PostgreSQL of this installation (postgres.py). Never prints a password.
"""

from collections.abc import Mapping
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from meldkamer.project.faults import OperatingFault

APP_ROLE = "meldkamer_app"
#: the owner: migrations, demo tables, tests
OWNER = "owner"
#: the application: everything else
APP = "app"


class DatabaseUrlFault(OperatingFault):
    """A DATABASE_URL that cannot be used; the message says what was expected."""


def database_url(environ: Mapping[str, str]) -> str:
    """DATABASE_URL, else the connection string of this installation's embedded PostgreSQL."""
    named = environ.get("DATABASE_URL")
    if named:
        return named
    from meldkamer.project import paths, postgres

    return postgres.production(paths.var_dir()).dsn()


def conninfo(environ: Mapping[str, str], role: str | None = None) -> str:
    """A psycopg connection string; `role` is "app" or "owner" (default MELDKAMER_DB_ROLE, app)."""
    parts = _parts(environ, role)
    return make_conninfo("", **parts)


def _parts(environ: Mapping[str, str], role: str | None = None) -> dict[str, Any]:
    url = database_url(environ)
    try:
        parts: dict[str, Any] = conninfo_to_dict(url)
    except ProgrammingError:
        # libpq's own words repeat the address, and with it the password
        raise DatabaseUrlFault(
            "DATABASE_URL cannot be read; expected postgresql://user:password@host:5432/name"
        ) from None
    if not parts.get("dbname"):
        raise DatabaseUrlFault("DATABASE_URL names no database; expected …/name at its end")
    role = role or environ.get("MELDKAMER_DB_ROLE") or APP
    if role not in (APP, OWNER):
        raise DatabaseUrlFault(f"MELDKAMER_DB_ROLE is {role!r}; expected {APP!r} or {OWNER!r}")
    options = [str(parts["options"])] if parts.get("options") else []
    if role == APP:
        options.append(f"-c role={APP_ROLE}")
    options.append("-c timezone=UTC")
    parts["options"] = " ".join(options)
    return parts


def django_database(environ: Mapping[str, str]) -> dict[str, Any]:
    """Django's DATABASES["default"]; MELDKAMER_DB_POOL=n keeps up to n connections open."""
    parts = _parts(environ)
    options: dict[str, Any] = {
        key: value
        for key, value in parts.items()
        if key not in ("dbname", "user", "password", "host", "port") and value is not None
    }
    pool = int(environ.get("MELDKAMER_DB_POOL") or 0)
    if pool:
        options["pool"] = {"min_size": 1, "max_size": pool, "timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts.get("user") or "",
        "PASSWORD": parts.get("password") or "",
        "HOST": parts.get("host") or "",
        "PORT": str(parts.get("port") or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # a pooled connection may be of a server that was restarted
        "ATOMIC_REQUESTS": False,
    }
