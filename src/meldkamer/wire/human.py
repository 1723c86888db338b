"""A decoded frame as lines for a person at a terminal."""

from typing import Any

_ROWS = (
    ("id", "id"),
    ("seq", "sequence"),
    ("receiver", "receiver"),
    ("line", "line"),
    ("account", "account"),
    ("timestamp", "time"),
    ("data", "data"),
)


def format_human(decoded: dict[str, Any]) -> str:
    """Several lines of text; control characters are shown as escapes."""
    lines = [_headline(decoded)]
    for key, name in _ROWS:
        value = decoded.get(key)
        if value not in (None, ""):
            star = "*" if key == "id" and decoded.get("encrypted") else ""
            lines.append(f"  {name:<9} {star}{_plain(str(value))}")
    for letter, value in decoded.get("xdata", ()):
        lines.append(f"  xdata     {_plain(letter)}: {_plain(value)}")
    for event in decoded.get("events", ()):
        lines.append("  signal    " + _event(event))
    inside = decoded.get("body_if_header_were_right")
    if inside:
        lines.append(f"  would be  {inside['id']} {_plain(inside.get('data', ''))}")
    if decoded.get("reply"):
        lines.append(f"  reply     {_plain(decoded['reply'])}")
    elif "reply" in decoded:
        lines.append("  reply     none")
    for frame in decoded.get("decoded", ()):
        lines.append(format_human(frame))
    return "\n".join(lines)


def _headline(decoded: dict[str, Any]) -> str:
    reasons = decoded.get("reasons") or []
    counted = ""
    if "frames" in decoded:
        counted = f" {decoded['frames']} frames, {decoded['discarded']} bytes discarded"
    return f"{decoded['verdict']}{counted}" + (": " + "; ".join(reasons) if reasons else "")


def _event(event: dict[str, Any]) -> str:
    where = [f"{name} {event[name]}" for name in ("zone", "area", "user") if event[name]]
    text = f' "{_plain(event["text"])}"' if event["text"] else ""
    place = f" ({', '.join(where)})" if where else ""
    return f"{event['code']} {event['type']}: {event['meaning']}{place}{text}"


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
