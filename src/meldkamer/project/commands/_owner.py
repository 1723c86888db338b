"""The way from a command to the package that does the work: imported when it runs, not before."""

import importlib
import os
import sys
from types import ModuleType


class NotThereFault(SystemExit):
    """The part of the product a command stands for is not in this version."""


def owner(module: str) -> ModuleType:
    """The module; exits with 3 and one clear line when this version does not have it.

    A fault inside the module is not hidden: it is raised as it is.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as fault:
        if fault.name is None or not f"{module}.".startswith(f"{fault.name}."):
            raise
        print(f"meldkamer: this version has no {module}", file=sys.stderr)
        raise NotThereFault(3) from None


def with_django() -> None:
    """Set Django up (as the application's role); for commands that use tables."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
    import django

    django.setup()
