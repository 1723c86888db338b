"""Where things lie on this machine: one place, so that nothing else guesses.

`var` holds everything an installation owns (database, keys, logs); losing it loses the
installation. `cache` holds only what can be made again. Nothing here creates a directory
except through `made`, and nothing here reads a secret.
"""

import os
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def checkout() -> Path | None:
    """The source checkout this package is imported from; None when it is installed."""
    root = PACKAGE.parent.parent
    return root if (root / "pyproject.toml").is_file() else None


def var_dir() -> Path:
    """The state directory: MELDKAMER_VAR, else var/ in the checkout, else the user's state home."""
    named = os.environ.get("MELDKAMER_VAR")
    if named:
        return Path(named).expanduser().absolute()
    root = checkout()
    if root is not None:
        return root / "var"
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "meldkamer"


def keys_dir() -> Path:
    """Where the keys are: MELDKAMER_KEYS (shared between machines), else var/keys."""
    named = os.environ.get("MELDKAMER_KEYS")
    return Path(named).expanduser().absolute() if named else var_dir() / "keys"


def cache_dir() -> Path:
    """For what can be made again: MELDKAMER_CACHE, the user's cache, else the temporary directory.

    Root's home is closed to the user that PostgreSQL runs as, so root uses /var/cache.
    """
    named = os.environ.get("MELDKAMER_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    if os.geteuid() == 0:
        home = Path("/var/cache")
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    if os.access(home if home.exists() else home.parent, os.W_OK):
        return home / "meldkamer"
    return Path(tempfile.gettempdir()) / f"meldkamer-{os.geteuid()}"


def made(directory: Path, mode: int = 0o700) -> Path:
    """The directory, created with `mode` when it was not there.

    Raises PermissionError when another user owns it: somebody else could read what we put there.
    """
    directory.mkdir(mode=mode, parents=True, exist_ok=True)
    owner = directory.stat().st_uid
    if owner not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise PermissionError(
            f"{directory} belongs to user {owner}, not to user {os.geteuid()} who runs meldkamer"
        )
    return directory
