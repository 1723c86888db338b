"""A package of many files says in its first words where each thing lies."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import meldkamer

SOURCE = Path(meldkamer.__file__).parent
#: they are in every package, and each says the same
USUAL = {"__init__", "apps", "models", "migrations"}


PARTS = ("deciding", "operating", "telephone", "messages", "service")


@pytest.mark.parametrize(
    "package", ["incidents", *(f"incidents.{part}" for part in PARTS), "notify"]
)
def test_the_package_names_each_of_its_modules(package: str) -> None:
    there = {
        place.stem
        for place in SOURCE.joinpath(*package.split(".")).iterdir()
        if place.suffix == ".py" or (place / "__init__.py").exists()
    }
    named = set(
        re.findall(r"`(\w+)(?:\.\w+)?`", import_module(f"meldkamer.{package}").__doc__ or "")
    )
    assert there - USUAL == named & there
    assert len(named & there) > 3
