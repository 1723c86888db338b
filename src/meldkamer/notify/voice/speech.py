"""A text into sound, in four languages, by the voice of espeak-ng.

What was spoken is kept for a day, so that a text which goes to many is spoken once: bounded in
number, readable by this program's user alone, under a name that tells nothing. The text reaches the
voice by a pipe, never on a command line, where every user of the machine could read it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from array import array
from hashlib import sha256
from pathlib import Path

from meldkamer.notify.voice import sound
from meldkamer.notify.voice.reading import spoken

PROGRAM = "espeak-ng"
_VOICES = {"nl": "nl", "fr": "fr-be", "de": "de", "en": "en-gb"}
#: somewhat slower than the voice's own 175: a telephone, a kitchen, the middle of the night
_WORDS_A_MINUTE = 140
_SPEAK_S = 20.0
_TEXT_MOST = 2000
KEPT_S, KEPT_MOST = 24 * 3600.0, 200
# counted when the way of speaking changes, so that nothing old is played
_MAKING = "1"


class SpeechFault(Exception):
    """A text that could not be spoken; says why and what to do."""


def program() -> str:
    """Where the voice is; SpeechFault names what to install."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise SpeechFault(f"{PROGRAM} is not installed; on Debian: apt-get install {PROGRAM}")
    return found


class Voice:
    """Speaks, and keeps what was spoken for a while. For many threads."""

    def __init__(self, place: Path) -> None:
        """place: a directory of its own, made when it is not there."""
        self._place = place
        self._lock = threading.Lock()

    def say(self, text: str, language: str) -> array[int]:
        """The text as samples at 8 kHz; SpeechFault when it cannot be spoken."""
        words = spoken(text[:_TEXT_MOST], language)
        if not words:
            raise SpeechFault("an empty text; expected words to speak")
        voice = _VOICES.get(language, _VOICES["en"])
        name = sha256(f"{_MAKING}|{voice}|{_WORDS_A_MINUTE}|{words}".encode()).hexdigest()
        kept = self._place / f"{name}.wav"
        with self._lock:
            try:
                rate, samples = sound.read_wav(kept.read_bytes())
                os.utime(kept)
            except (FileNotFoundError, sound.SoundFault):
                rate = 0
            if rate == sound.RATE_HZ:
                return samples
            samples = _speak(words, voice)
            self._keep(kept, sound.write_wav(samples))
        return samples

    def _keep(self, path: Path, content: bytes) -> None:
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it for this user alone; named only when whole
        handle, name = tempfile.mkstemp(dir=self._place, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        self._forget()

    def forget_old(self) -> None:
        """Take away what was not played for a day, and the oldest of too many."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        found = []
        for path in self._place.glob("*"):
            with contextlib.suppress(OSError):  # somebody else's line took it away
                if path.suffix in (".wav", ".part"):
                    found.append((path.stat().st_mtime, path))
        found.sort(reverse=True)
        limit_s = time.time() - KEPT_S
        for number, (played_s, path) in enumerate(found):
            if number >= KEPT_MOST or played_s < limit_s:
                path.unlink(missing_ok=True)


def _speak(words: str, voice: str) -> array[int]:
    command = [program(), "-v", voice, "-s", str(_WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
    try:
        done = subprocess.run(
            command, input=words.encode(), capture_output=True, timeout=_SPEAK_S, check=True
        )
        rate, samples = sound.read_wav(done.stdout)
        return sound.telephone(samples, rate)
    except subprocess.TimeoutExpired:
        raise SpeechFault(f"{PROGRAM} did not speak within {_SPEAK_S:.0f} s") from None
    except subprocess.CalledProcessError as fault:
        said = fault.stderr.decode(errors="replace").strip()[-200:]
        raise SpeechFault(f"{PROGRAM} failed ({fault.returncode}): {said}") from None
    except (OSError, sound.SoundFault) as fault:
        raise SpeechFault(f"{PROGRAM}: {fault}") from None
