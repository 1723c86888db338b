"""Random events: bursts of signals, restores, calls, texts, letters, patrols, frames."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from meldkamer.wire import encode

Event = dict[str, Any]
_ALARMS = ("BA", "BA", "BA", "BV", "BM", "TA", "PA", "HA", "FA", "KA", "MA", "1130", "1110", "1139")
_DURESS = ("1121", "1124", "1125", "HA")
_TECHNICAL = (("YT", "YR"), ("AT", "AR"), ("1301", "3301"), ("1302", "3302"), ("LT", "LR"))
_OTHERS = ("GA", "WA", "ZA", "CI", "QA", "ZZ", "1999", "1654", "DG", "BB", "BC", "RP", "RX", "YX")
_DURATIONS = ("10m", "1h", "23h", "30h")
#: what follows something after exactly these spans meets a deadline of the rules
_GAPS_S = (0, 1, 9, 10, 20, 40, 89, 90, 91, 119, 120, 300, 600, 900, 1800, 1801, 3600)


class Script:
    """The events of a story, put where they are likely to meet each other."""

    def __init__(self, dice: Random, sites: list[dict[str, Any]], start: datetime) -> None:
        self.dice, self.sites, self.start = dice, sites, start
        self.events: list[tuple[float, Event]] = []
        self.horizon_s = dice.choice((3600, 3600, 6 * 3600, 86400, 3 * 86400))
        self.sequence = 5000

    def write(self) -> list[Event]:
        """Five to thirty events, in the order of their time."""
        wanted = self.dice.randint(4, 22)
        while len(self.events) < wanted:
            maker = self.dice.choices(list(_MAKERS), list(_MAKERS.values()))[0]
            maker(self, self._moment(), self.dice.choice(self.sites))
        self.events.sort(key=lambda pair: pair[0])
        return [{"at": _span(at), **event} for at, event in self.events[:40]]

    def _moment(self) -> float:
        """Anywhere, or at a telling distance from something that is there already."""
        if self.events and self.dice.random() < 0.6:
            return self.dice.choice(self.events)[0] + self.dice.choice(_GAPS_S)
        return float(self.dice.randrange(self.horizon_s))

    def add(self, at: float, site: dict[str, Any], **event: Any) -> None:
        """An event of a site, from a time on."""
        named = {"site": site["name"]} if len(self.sites) > 1 else {}
        self.events.append((at, {**named, **event}))

    def zone(self, site: dict[str, Any]) -> dict[str, Any]:
        """A zone of the site, one that is not on its sheet, or none."""
        known = [zone["number"] for zone in site.get("zone", [])]
        number = self.dice.choice([*known, *known, 9, None])
        return {} if number is None else {"zone": number}


def _alarm(script: Script, at: float, site: dict[str, Any]) -> None:
    code = script.dice.choice(_ALARMS)
    for _ in range(script.dice.choice((1, 1, 2, 3))):
        script.add(at, site, signal=code, **script.zone(site))
        at += script.dice.choice(_GAPS_S)
    if script.dice.random() < 0.3 and code[0] in "BF":
        script.add(at, site, signal=code[0] + "R", **script.zone(site))


def _duress(script: Script, at: float, site: dict[str, Any]) -> None:
    script.add(at, site, signal=script.dice.choice(_DURESS), **script.zone(site))


def _technical(script: Script, at: float, site: dict[str, Any]) -> None:
    begin, end = script.dice.choice(_TECHNICAL)
    script.add(at, site, signal=begin)
    if script.dice.random() < 0.6:
        script.add(at + script.dice.choice(_GAPS_S), site, signal=end)


def _dark(script: Script, at: float, site: dict[str, Any]) -> None:
    """The power fails at all sites within a quarter of an hour, and comes back at some."""
    back = at + script.dice.choice((600, 1800, 5000))
    for one in script.sites:
        script.add(at, one, signal="AT")
        if script.dice.random() < 0.6:
            script.add(back + script.dice.choice(_GAPS_S), one, signal="AR")
        at += script.dice.choice((0, 20, 100, 130))


def _other(script: Script, at: float, site: dict[str, Any]) -> None:
    script.add(at, site, signal=script.dice.choice(_OTHERS), **script.zone(site))


def _arming(script: Script, at: float, site: dict[str, Any]) -> None:
    script.add(at, site, signal=script.dice.choice(("OP", "CL")), user=script.dice.randint(1, 9))


def _line_test(script: Script, at: float, site: dict[str, Any]) -> None:
    script.add(at, site, signal="RP")


def _text(script: Script, at: float, site: dict[str, Any]) -> None:
    people = [c["name"] for c in site.get("contact", []) if c.get("phone")]
    sender = script.dice.choice([*people, *people, "+32470999999"])
    script.add(at, site, sms_from=sender, text=script.dice.choice(("ok", "OK ", "help", "", "nee")))


def _call(script: Script, at: float, site: dict[str, Any]) -> None:
    people = [contact["name"] for contact in site.get("contact", [])]
    event: Event = {
        "phone_from": script.dice.choice([*people, *people, "premises", "A stranger"]),
        "code": script.dice.choice(("right", "right", "right", "wrong", "none", "duress")),
        "says": script.dice.choice(
            ("false_alarm", "false_alarm", "start_test", "end_test", "send_patrol", "help")
        ),
    }
    if event["says"] == "start_test" and script.dice.random() < 0.7:
        event["duration"] = script.dice.choice(_DURATIONS)
    script.add(at, site, **event)


def _letter(script: Script, at: float, site: dict[str, Any]) -> None:
    kind = script.dice.choice(("test", "test", "undefined", "resume", "line_test"))
    event: Event = {"written": kind}
    if kind == "test":
        event["duration"] = script.dice.choice(("1h", "30h", "2d"))
    elif kind == "undefined":
        event["code"] = script.dice.choice(("ZZ", "1999"))
    script.add(at, site, **event)


def _images(script: Script, at: float, site: dict[str, Any]) -> None:
    script.add(at, site, camera=script.dice.choice(("intruder", "nothing")))


def _supervisor(script: Script, at: float, site: dict[str, Any]) -> None:
    kind = script.dice.choice(("override_police", "override_police", "undo_outage"))
    script.add(at, site, operator=kind, reason="seen on the images")


def _patrol(script: Script, at: float, site: dict[str, Any]) -> None:
    state = script.dice.choice(("free", "free", "arrived", "done"))
    event: Event = {"patrol": True, "unit": script.dice.choice(("P1", "P2")), "state": state}
    if state != "free" and script.dice.random() < 0.5:
        event["finding"] = script.dice.choice(("intruder", "nothing"))
    script.events.append((at, event))


def _flood(script: Script, at: float, site: dict[str, Any]) -> None:
    """A transmitter gone mad: far more than a hand could send, of one kind or of several."""
    codes = script.dice.choice((("BA",), ("YT", "BA"), ("BA", "FA", "HA"), ("BB",)))
    for _ in range(script.dice.choice((7, 8, 12))):
        script.add(at, site, signal=script.dice.choice(codes), **script.zone(site))
        at += script.dice.choice((0, 1, 2))
    if script.dice.random() < 0.5:
        script.add(at + script.dice.choice((60, 700)), site, signal="HA")


def _false_again(script: Script, at: float, site: dict[str, Any]) -> None:
    """An alarm, and somebody who says at once that it is none (S12.1, S12.2)."""
    people = [contact["name"] for contact in site.get("contact", [])] or ["premises"]
    script.add(at, site, signal="BA", **script.zone(site))
    at += script.dice.choice((5, 30))
    script.add(at, site, phone_from=script.dice.choice(people), code="right", says="false_alarm")


def _sheet(script: Script, at: float, site: dict[str, Any]) -> None:
    change: Event = {}
    if "formula" in site and script.dice.random() < 0.5:
        change["formula"] = script.dice.choice(("app", "mix", "operator"))
    else:
        change["options"] = script.dice.choice((["patrol"], ["video"], []))
    event: Event = {"sheet": change}
    if script.dice.random() < 0.4:
        event["to"] = _span(at + script.dice.choice((600, 7200)))
    script.add(at, site, **event)


def _frame(script: Script, at: float, site: dict[str, Any]) -> None:
    """As transmitters really send them: retries, wrong clocks, unknown accounts, rubbish."""
    account = script.dice.choice((site["account"], site["account"], site["account"], "FEED"))
    code = script.dice.choice(("BA1", "FA2", "YT", "AT", "OP3", "XX7", ""))
    token, data = script.dice.choice(
        (
            ("SIA-DCS", f"#{account}|Nri1/{code}"),
            ("SIA-DCS", f"#{account}|N{code}"),
            ("ADM-CID", f"#{account}|1130 01 003"),
            ("ADM-CID", f"#{account}|9999 zz"),
            ("NULL", ""),
            ("VIDEO", "what is this"),
        )
    )
    panel_time = None
    if script.dice.random() < 0.5:
        skew_s = script.dice.choice((0, 5, -3600, 3600, 86400 * 400, -86400))
        panel_time = script.start + timedelta(seconds=at + skew_s)
    script.sequence += 1
    raw = encode(token, script.sequence, account, data=data, now=panel_time)
    if script.dice.random() < 0.15:
        raw = raw[:-6] + b"?" + raw[-5:]
    text = raw.decode("latin-1").strip("\r\n")
    for _ in range(script.dice.choice((1, 1, 2, 3))):
        script.events.append((at, {"frame": text}))
        at += script.dice.choice((0, 2, 30, 1000))


_MAKERS: dict[Callable[[Script, float, dict[str, Any]], None], int] = {
    _alarm: 24,
    _technical: 16,
    _frame: 9,
    _call: 9,
    _text: 6,
    _other: 6,
    _arming: 5,
    _line_test: 4,
    _images: 4,
    _patrol: 4,
    _duress: 3,
    _dark: 3,
    _supervisor: 3,
    _letter: 3,
    _sheet: 2,
    _false_again: 4,
    _flood: 1,
}


def _span(at: float) -> str:
    return f"+{int(at)}s"
