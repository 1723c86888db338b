"""The installation's keys: made once, at first use, in var/keys, readable by its owner alone.

They must never be in the repository, in a log line, in a backup beside the database, or made
anew when one is missing from a set that exists: what was sealed with the old key would be lost.
Several machines of one installation share one set (MELDKAMER_KEYS names the directory).
"""

import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from meldkamer.project import paths
from meldkamer.project.faults import OperatingFault

#: name of the file: (bytes of randomness, what it is for)
KEYS = {
    "secret": "signs sessions and forms",
    "sealing": "seals transmitter keys in the database",
    "pepper": "keys the hash of identification codes",
}
LENGTH = 32


class KeyFault(OperatingFault):
    """A key file that cannot be trusted; the message names the file and what was expected."""


def key(name: str) -> bytes:
    """The key of that name, 32 bytes; made when the whole set is new.

    Raises KeyFault when the file is too open, too short, or lost from an existing set.
    """
    if name not in KEYS:
        raise KeyError(f"no key is called {name!r}; known: {', '.join(KEYS)}")
    directory = paths.keys_dir()
    file = directory / name
    if not file.exists():
        _make_all(directory)
    return _read(file)


def push_key() -> bytes:
    """The installation's key for web push, 32 bytes: who it is that pushes to a phone (VAPID).

    Drawn from the sealing key, so that it is there in every set, also one made before there was
    push, and the same on every machine. With another sealing key the phones subscribe anew.
    """
    return HKDF(SHA256(), LENGTH, None, b"meldkamer web push").derive(key("sealing"))


def _read(file: Path) -> bytes:
    try:
        opened = file.stat()
        text = file.read_text("ascii").strip()
    except FileNotFoundError:
        raise KeyFault(
            f"{file} is missing while other keys are there; put the lost file back: "
            "what was sealed with it cannot be read with a new one"
        ) from None
    if stat.S_IMODE(opened.st_mode) & 0o077:
        raise KeyFault(f"{file} can be read by others; expected mode 0600 (chmod 600 {file})")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != LENGTH:
        raise KeyFault(f"{file} is no key; expected {LENGTH * 2} hexadecimal digits")
    return value


def _make_all(directory: Path) -> None:
    """Make the whole set, or nothing: two processes that start at once end with the same keys."""
    paths.made(directory.parent, 0o755)
    new = directory.with_name(f".{directory.name}-{os.getpid()}-{secrets.token_hex(4)}")
    new.mkdir(mode=0o700)
    for name in KEYS:
        handle = os.open(new / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(LENGTH) + "\n")
            out.flush()
            os.fsync(out.fileno())
    try:
        # a directory moved over an empty one succeeds, over a filled one fails: the first one wins
        new.rename(directory)
    except OSError:
        for name in KEYS:
            (new / name).unlink()
        new.rmdir()
