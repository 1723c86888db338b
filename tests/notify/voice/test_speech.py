"""Texts become sound: spoken by espeak-ng, thinned out for a telephone, forgotten after a day."""

from __future__ import annotations

import math
import os
import time
from array import array
from pathlib import Path

import pytest

from meldkamer.notify.voice import sound, speech
from meldkamer.notify.voice.speech import SpeechFault, Voice


@pytest.mark.parametrize("language", ["nl", "fr", "de", "en"])
def test_each_language_is_spoken_in_its_own_voice(tmp_path: Path, language: str) -> None:
    voice = Voice(tmp_path)
    said = voice.say("Garage 12", language)
    assert 0.5 < len(said) / sound.RATE_HZ < 4
    assert max(said) > 5000
    others = [voice.say("Garage 12", other) for other in ("nl", "fr", "de", "en")]
    assert others.count(said) == 1


def test_a_text_is_spoken_once_and_kept_for_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "spoken"
    said = Voice(place).say("Bakkerij Peeters", "nl")
    monkeypatch.setenv("PATH", "")
    assert Voice(place).say("Bakkerij Peeters", "nl") == said
    (kept,) = place.iterdir()
    assert "Peeters" not in kept.name
    assert place.stat().st_mode & 0o077 == 0
    assert kept.stat().st_mode & 0o077 == 0
    with pytest.raises(SpeechFault, match="espeak-ng is not installed; on Debian: apt-get install"):
        Voice(place).say("another text", "nl")


def test_what_was_spoken_is_forgotten_after_a_day_and_when_it_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = Voice(tmp_path)
    voice.say("old", "en")
    (old,) = tmp_path.iterdir()
    os.utime(old, (0, time.time() - speech.KEPT_S - 1))
    voice.say("new", "en")
    assert not old.exists()
    monkeypatch.setattr(speech, "KEPT_MOST", 2)
    for number in range(4):
        voice.say(f"number {number}", "en")
    assert len(list(tmp_path.iterdir())) == 2


def test_sound_that_was_broken_on_the_disk_is_made_anew(tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    said = voice.say("whole", "en")
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:20])
    assert voice.say("whole", "en") == said


def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeechFault, match="expected words"):
        Voice(tmp_path).say(" [] ", "en")


def _tone(hz: float, rate_hz: int) -> array[int]:
    return array(
        "h", (round(10000 * math.sin(2 * math.pi * hz * at / rate_hz)) for at in range(rate_hz))
    )


def _loudness(samples: array[int]) -> float:
    return math.sqrt(sum(one * one for one in samples) / len(samples))


@pytest.mark.parametrize("rate_hz", [22050, 16000, 44100])
def test_a_telephone_gets_what_it_carries_and_no_hiss_of_what_it_does_not(rate_hz: int) -> None:
    low = sound.telephone(_tone(1000, rate_hz), rate_hz)
    assert len(low) == sound.RATE_HZ
    assert _loudness(low) == pytest.approx(10000 / math.sqrt(2), rel=0.03)
    # 6000 Hz would come back as 2000 Hz
    assert _loudness(sound.telephone(_tone(6000, rate_hz), rate_hz)) < 60


def test_what_is_no_sound_is_refused() -> None:
    with pytest.raises(sound.SoundFault, match="not a WAV"):
        sound.read_wav(b"no")
    with pytest.raises(sound.SoundFault, match="expected 8000 to 96000"):
        sound.telephone(array("h", [1]), 4000)
