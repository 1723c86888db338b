"""What the application's role may do: everything but change the journal (M12.3).

The role has INSERT and SELECT on the journal's tables and their partitions, nothing more; it owns
nothing, so it cannot disable a constraint. Run by the owner after every migration. Other floors say
by `only_added` which of their tables are never changed either.
"""

from __future__ import annotations

from django.db import connections, transaction

ROLE = "meldkamer_app"
APPEND_ONLY = ("journal_frame", "journal_signal", "journal_entry", "journal_seal")
_added_to: set[str] = set()

# Who makes a role is its member; since PostgreSQL 16 that alone does not allow to take it on.
_MAKE_ROLE = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
    BEGIN
      CREATE ROLE {ROLE} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END IF;
  IF NOT pg_has_role(current_user, '{ROLE}', CASE
      WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    EXECUTE format('GRANT {ROLE} TO %I', current_user);
  END IF;
END $$"""


def only_added(table: str) -> None:
    """Rows of this table are added and never changed; said when its app gets ready."""
    _added_to.add(table)


def renew(using: str = "default") -> None:
    """Create the role where it is missing and set its grants on the tables there are now.

    Roles belong to the whole cluster: several databases migrated at once are put in line by an
    advisory lock per database, and a role made meanwhile by another is no error.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7305001)")
        cursor.execute(_MAKE_ROLE)
        cursor.execute("SELECT quote_ident(current_schema())")
        schema = cursor.fetchone()[0]
        for statement in (
            f"GRANT USAGE ON SCHEMA {schema} TO {ROLE}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {ROLE}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {ROLE}",
        ):
            cursor.execute(statement)
        for table in append_only_tables(using):
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")


def append_only_tables(using: str = "default") -> list[str]:
    """The journal's tables and every partition of them, and those of `only_added` there are now."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text FROM unnest(%s::regclass[]) AS root,"
            " LATERAL pg_partition_tree(root)"
            " UNION SELECT t FROM unnest(%s::text[]) AS t"
            " UNION SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NOT NULL",
            [list(APPEND_ONLY[:3]), list(APPEND_ONLY), sorted(_added_to)],
        )
        return sorted(row[0] for row in cursor.fetchall())
