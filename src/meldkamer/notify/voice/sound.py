"""Sound as the telephone takes it: 8 kHz, one channel, 16 bits; made from what a voice speaks.

Pure: bytes in, bytes out. A telephone carries 300 to 3400 Hz; what is above is taken away before
the samples are thinned out, or it would come back as hiss.
"""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from collections.abc import Iterable
from functools import lru_cache
from operator import mul

RATE_HZ = 8000
_PASS_HZ = 3600.0
#: samples of the original that one sample of ours is made of
_TAPS = 48


class SoundFault(ValueError):
    """Not sound that can be used; says what was expected."""


def read_wav(content: bytes) -> tuple[int, array[int]]:
    """Rate in Hz and samples of a WAV with one channel of 16 bits; SoundFault for another."""
    try:
        with wave.open(io.BytesIO(content)) as wav:
            if wav.getnchannels() != 1 or wav.getsampwidth() != 2:
                raise SoundFault("expected one channel of 16 bits")
            # a voice that writes while it speaks does not know the length: what is there counts
            samples = array("h", wav.readframes(len(content) // 2)[: len(content) // 2 * 2])
            rate = wav.getframerate()
    except (wave.Error, EOFError, ValueError) as fault:
        raise SoundFault(f"not a WAV of one channel of 16 bits: {fault}") from None
    if sys.byteorder == "big":
        samples.byteswap()
    return rate, samples


def telephone(samples: array[int], rate_hz: int) -> array[int]:
    """The samples at 8 kHz, without what a telephone does not carry."""
    if rate_hz == RATE_HZ or not samples:
        return samples
    if not RATE_HZ < rate_hz <= 96_000:
        raise SoundFault(f"{rate_hz} samples a second; expected 8000 to 96000")
    common = math.gcd(rate_hz, RATE_HZ)
    step, phases = rate_hz // common, RATE_HZ // common
    table = _filter(rate_hz, phases)
    padded = array("h", bytes(_TAPS)) + samples + array("h", bytes(2 * _TAPS))
    thinned = array("h")
    for number in range(len(samples) * phases // step):
        at, phase = divmod(number * step, phases)
        value = sum(map(mul, table[phase], padded[at : at + _TAPS]))
        thinned.append(max(-32768, min(32767, round(value))))
    return thinned


@lru_cache(maxsize=4)
def _filter(rate_hz: int, phases: int) -> tuple[tuple[float, ...], ...]:
    """For each place between two samples: a low pass, windowed (Blackman), of sum 1."""
    cut = _PASS_HZ / rate_hz
    half = _TAPS / 2
    rows = []
    for phase in range(phases):
        row = []
        for tap in range(_TAPS):
            away = tap - half - phase / phases
            ideal = 2 * cut if away == 0 else math.sin(2 * math.pi * cut * away) / (math.pi * away)
            angle = math.pi * away / half
            row.append(ideal * (0.42 + 0.5 * math.cos(angle) + 0.08 * math.cos(2 * angle)))
        total = sum(row)
        rows.append(tuple(value / total for value in row))
    return tuple(rows)


def silence(seconds: float) -> array[int]:
    """Nothing, for so long."""
    return array("h", bytes(2 * round(seconds * RATE_HZ)))


def joined(parts: Iterable[array[int]]) -> array[int]:
    """One after the other."""
    whole = array("h")
    for part in parts:
        whole.extend(part)
    return whole


def write_wav(samples: array[int]) -> bytes:
    """A WAV at 8 kHz."""
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE_HZ)
        wav.writeframes(samples.tobytes())
    return out.getvalue()
