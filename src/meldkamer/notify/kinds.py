"""The kinds of carriers there are: channel, settings, secrets, and how one is built.

Modules are imported when a carrier of the kind is built or its settings are read, so that an
installation needs only what it uses. Adding a kind is one line here and one module.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import msgspec

from meldkamer.notify.carrier import Carrier, Ears

SANDBOX = "sandbox"
CHANNELS = ("sms", "app", "mail", "letter", "voice", "authority", "desk")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of carrier.

    module has `build(settings, secrets, ears) -> Carrier` and the msgspec struct called `settings`.
    secrets: their names; they are entered apart and never shown. two_way: answers may come back.
    Settings with which they cannot say so in a property `why_no_answers`.
    """

    name: str
    channel: str
    module: str
    settings: str
    secrets: tuple[str, ...] = ()
    two_way: bool = False


#: every kind there is; the sandbox is none of them: it is inside (see `sandbox`)
_ALL: tuple[Kind, ...] = (
    Kind("smpp", "sms", "meldkamer.notify.sms.smpp", "SmppSettings", ("password",), two_way=True),
    Kind("sms_http", "sms", "meldkamer.notify.sms.http", "SmsHttpSettings",
         ("password", "hook_url"), two_way=True),
    Kind("gammu", "sms", "meldkamer.notify.sms.gammu", "GammuSettings", ("password",),
         two_way=True),
    # the exchange of the desks: asked after the step's transaction, by the desk itself
    Kind("pbx_http", "desk", "meldkamer.notify.desk.originate_http", "HttpOriginateSettings",
         ("authorization",)),
    Kind("pbx_ari", "desk", "meldkamer.notify.desk.originate_ari", "AriSettings", ("password",)),
    Kind("sip", "voice", "meldkamer.notify.voice.sip", "SipSettings", ("password",)),
    Kind("cap", "authority", "meldkamer.notify.authority.cap_carrier", "CapSettings",
         ("authorization",)),
    Kind("webpush", "app", "meldkamer.notify.push.webpush", "WebPushSettings", two_way=True),
    Kind("app_cloud", "app", "meldkamer.notify.push.app_cloud", "AppCloudSettings", ("key",),
         two_way=True),
    Kind("smtp", "mail", "meldkamer.notify.mail.smtp", "SmtpSettings", ("password",)),
    Kind("print_queue", "letter", "meldkamer.notify.post.print_queue", "PrintSettings"),
)  # fmt: skip
#: carriers of these kinds take only what is sent by their name (see `routing.Way.lane`)
BY_NAME = frozenset({"app_cloud"})
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


_learning = threading.Lock()


class SettingsFault(ValueError):
    """Settings of a carrier that cannot be used; says which and what was expected."""


def kind_of(name: str) -> Kind:
    """The kind of that name. SettingsFault names those there are."""
    try:
        return KINDS[name]
    except KeyError:
        raise SettingsFault(
            f"no carrier is of kind {name!r}; there are: {', '.join(sorted(KINDS))}"
        ) from None


def settings_type(kind: Kind) -> type[msgspec.Struct]:
    """The struct of the kind's settings."""
    found: type[msgspec.Struct] = getattr(import_module(kind.module), kind.settings)
    # msgspec learns a type at its first use, and two threads that use one with others inside first
    # at the same time crash the process: each line is a thread, and several may be of one kind
    with _learning:
        msgspec.json.Decoder(found)
    return found


def read_settings(kind: Kind, settings: Mapping[str, Any]) -> msgspec.Struct:
    """Settings as the kind's struct. SettingsFault names the field and what was expected."""
    try:
        return msgspec.convert(dict(settings), settings_type(kind))
    except msgspec.ValidationError as fault:
        raise SettingsFault(f"{kind.name}: {fault}") from None


def build(
    name: str, settings: Mapping[str, Any], secrets: Mapping[str, str], ears: Ears
) -> Carrier:
    """A carrier, not opened yet. SettingsFault when its settings or secrets do not fit."""
    kind = kind_of(name)
    read = read_settings(kind, settings)
    unknown = set(secrets) - set(kind.secrets)
    if unknown:
        raise SettingsFault(f"{name}: no secret is called {', '.join(sorted(unknown))}")
    carrier: Carrier = import_module(kind.module).build(read, dict(secrets), ears)
    return carrier
