"""The embedded PostgreSQL (being written)."""

from pathlib import Path

from meldkamer.project.postgres_place import Place, production_place


def production(var: Path) -> Place:
    return production_place(var)
