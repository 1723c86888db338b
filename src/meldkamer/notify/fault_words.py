"""What a carrier's fault says, in the language of who reads it.

A fault is raised, stored and journalled in English, and put into words again when it is shown:
whoever reads it later may read another language. Each sentence of ours stands here once more, with
its places named; what the other machine said goes into its place as it said it. A fault that is
none of these is shown as it is, never hidden. A test compares this list with what is raised.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import gettext, gettext_noop

SENTENCES: tuple[str, ...] = (
    # the line to it
    gettext_noop("cannot be reached"),
    gettext_noop("cannot be reached: %(why)s"),
    gettext_noop("%(where)s cannot be reached: %(why)s"),
    gettext_noop("%(where)s did not agree on TLS: %(why)s"),
    gettext_noop("its certificate is another one, with the SHA-256 %(found)s"),
    gettext_noop("its certificate is not believed"),
    gettext_noop("no line to it within %(limit)s s"),
    gettext_noop("no answer within %(limit)s s"),
    gettext_noop("the line broke before the answer"),
    gettext_noop("the line broke, or no answer within %(limit)s s"),
    gettext_noop("the connection broke: %(why)s"),
    gettext_noop("not connected to %(where)s"),
    gettext_noop("not open"),
    gettext_noop("closed"),
    gettext_noop("%(where)s has no address outside this house"),
    gettext_noop("a fault of our own: %(name)s"),
    gettext_noop("%(who)s refuses this message (%(code)s)"),
    gettext_noop("%(who)s answers %(code)s"),
    # what a computer says of a line
    gettext_noop("Connection refused"),
    gettext_noop("Connection reset by peer"),
    gettext_noop("Connection timed out"),
    gettext_noop("timed out"),
    gettext_noop("Broken pipe"),
    gettext_noop("No route to host"),
    gettext_noop("Network is unreachable"),
    gettext_noop("Name or service not known"),
    gettext_noop("No address associated with hostname"),
    gettext_noop("Temporary failure in name resolution"),
    gettext_noop("Connection unexpectedly closed"),
    # an SMS centre
    gettext_noop("no answer to the login: %(why)s"),
    gettext_noop("the login was refused"),
    gettext_noop(
        "the centre refused the login as %(who)s (system_id, password or system_type): %(why)s"
    ),
    gettext_noop("%(why)s; tried again in %(wait)s s"),
    gettext_noop("the centre refused the connection: %(why)s"),
    gettext_noop("the centre closed the connection"),
    gettext_noop("the centre ended the session (unbind)"),
    gettext_noop("the centre says that we are not logged in"),
    gettext_noop("the centre was silent for %(time)s s"),
    gettext_noop("this is no SMPP: a PDU of %(count)s octets"),
    gettext_noop("the centre refused the number: %(why)s"),
    gettext_noop("the centre did not take it: %(why)s"),
    gettext_noop("too much at once: %(why)s"),
    gettext_noop("its parts took more than %(limit)s s"),
    gettext_noop(
        "the text needs %(count)s parts, this carrier sends %(most)s at most (parts_most)"
    ),
    gettext_noop("%(number)s is no number; expected one like +32470123456"),
    # a gateway
    gettext_noop("no telephone number; expected e.g. +32475123456"),
    gettext_noop("the gateway %(why)s"),
    gettext_noop("the gateway: %(why)s"),
    gettext_noop("the gateway answered %(code)s"),
    gettext_noop("the gateway answered %(code)s: %(why)s"),
    gettext_noop("the gateway answered %(code)s %(why)s; expected '0: …' or '3: …'"),
    gettext_noop("the gateway refuses it: %(why)s"),
    gettext_noop("the gateway does not know us: %(why)s"),
    gettext_noop("the gateway's status page answered %(code)s"),
    gettext_noop("no SMS centre of the gateway is on line: %(why)s"),
    # a modem
    gettext_noop("gammu's database: %(why)s"),
    gettext_noop("gammu's database refuses it: %(why)s"),
    gettext_noop("the connection to gammu's database broke"),
    gettext_noop("found %(found)s; expected its schema %(version)s"),
    gettext_noop("no gammu-smsd%(name)s has ever run on these tables"),
    gettext_noop("replies cannot be read: %(why)s"),
    gettext_noop("the modem gave no sign of life for %(time)s s"),
    gettext_noop("the modem has no network"),
    gettext_noop("the modem did not send it within %(limit)s s"),
    gettext_noop("the modem has it in its hands and did not finish"),
    gettext_noop("the text left the outbox and was not sent: somebody took it away"),
    gettext_noop("the network knows nobody by this number (cause %(code)s)"),
    gettext_noop("the modem could not send it (cause %(code)s)"),
    # mail
    gettext_noop("%(where)s does not let %(who)s in: %(code)s"),
    gettext_noop("the sender was refused: %(why)s"),
    gettext_noop("no answer after the mail was given: %(why)s"),
    gettext_noop(
        "the mail has %(count)s bytes, this carrier takes %(most)s: an attachment is too large"
    ),
    gettext_noop("%(who)s: this mail server takes no letters beyond ASCII before the @ (SMTPUTF8)"),
    gettext_noop("%(who)s is no address for mail; expected name@domain"),
    gettext_noop("%(who)s: a character before the @ that no address has"),
    gettext_noop("%(who)s: dots before the @ stand between other characters only"),
    gettext_noop("%(who)s: more than %(most)s bytes before the @"),
    gettext_noop("%(name)s is no domain; expected a name with a dot"),
    gettext_noop("%(name)s is no domain: %(why)s"),
    # letters
    gettext_noop("%(who)s: no address for a letter; expected name, street, postal code and town"),
    gettext_noop("only PDF papers can be printed with a letter: %(names)s"),
    gettext_noop("the letter could not be stored: %(why)s"),
    gettext_noop("the letter has %(count)s pages; expected %(most)s at most"),
    gettext_noop("the letter cannot be set: %(why)s"),
    gettext_noop("a paper cannot be printed: %(why)s"),
    gettext_noop("a paper cannot be read: %(why)s"),
    gettext_noop("a paper has a password or no page, and cannot be printed"),
    gettext_noop("no address for %(who)s"),
    # the app
    gettext_noop("%(who)s has the app on no phone"),
    gettext_noop("%(who)s took the app off the phone (%(code)s)"),
    gettext_noop("the keys of %(who)s's phone cannot be used"),
    gettext_noop("no time was left for this phone"),
    # the exchange
    gettext_noop("not registered yet"),
    gettext_noop("the exchange refused the registration: %(why)s"),
    gettext_noop("no reason given"),
    gettext_noop("the exchange did not answer the registration in %(limit)s s"),
    gettext_noop("the exchange is not there: %(why)s"),
    gettext_noop("the exchange does not answer (%(limit)s s)"),
    gettext_noop("the exchange did not answer in %(limit)s s"),
    gettext_noop("the exchange knows no such number: %(why)s"),
    gettext_noop("the exchange refused the call: %(why)s"),
    gettext_noop("the exchange ended the call: %(why)s"),
    gettext_noop("the exchange answers %(code)s"),
    gettext_noop("the exchange refuses: %(code)s"),
    gettext_noop("no number that can be called: %(number)s; expected digits, as +32…"),
    gettext_noop("the text was not spoken: %(why)s"),
    gettext_noop("an empty text; expected words to speak"),
    gettext_noop("the call broke off: %(why)s"),
    gettext_noop("the carrier is closed"),
    gettext_noop("every line is busy: %(count)s"),
    gettext_noop("%(program)s is not installed; on Debian: apt-get install %(package)s"),
    # the services
    gettext_noop("is for another service"),
    gettext_noop("not written as %(name)s: it is not sent as such"),
    gettext_noop("the service's machine refuses: %(why)s"),
    gettext_noop("the service's machine answers %(code)s"),
    # going live
    gettext_noop("no carrier for %(name)s"),
    gettext_noop("made in practice"),
    gettext_noop("real messages wait: %(count)s; expected none before practice begins"),
    # settings
    gettext_noop("a carrier has a name"),
    gettext_noop("another carrier of this channel is called %(name)s"),
    gettext_noop("messages a second: expected more than 0, or nothing for no limit"),
    gettext_noop(
        "%(name)s is the sandbox: a channel is in the sandbox or outside, never both; "
        "switch that one off first"
    ),
    gettext_noop(
        "%(name)s is outside: a channel is in the sandbox or outside, never both; "
        "switch that one off first"
    ),
    gettext_noop(
        "nobody can answer to the name %(name)s (S7.3); expected a number of our own, or a "
        "carrier over which no answers come back"
    ),
    gettext_noop(
        'a "transmitter" hears no answers (S7.3); expected "transceiver" or "pair", or a carrier '
        "over which no answers come back"
    ),
    gettext_noop("expected %(least)s to %(most)s"),
    gettext_noop("expected %(least)s to %(most)s seconds"),
    gettext_noop("expected %(least)s to %(most)s, not %(found)s"),
    gettext_noop("%(found)s; expected %(least)s to %(most)s"),
    gettext_noop("%(found)s; expected %(least)s to %(most)s seconds"),
    gettext_noop("%(found)s; expected %(least)s to %(most)s hours"),
    gettext_noop("%(found)s; expected %(least)s or more"),
    gettext_noop("expected %(least)s or more"),
    gettext_noop("%(found)s is no port; expected %(least)s to %(most)s"),
    gettext_noop("expected 1 to %(most)s characters of ASCII, not %(found)s"),
    gettext_noop("expected at most %(most)s characters of ASCII, not %(found)s"),
    gettext_noop("expected ASCII of at most %(most)s characters, SMPP's own limit"),
    gettext_noop("expected a name or an address alone, as smsc.example, not %(found)s"),
    gettext_noop("expected two capitals of a country (ISO 3166), as BE, not %(found)s"),
    gettext_noop("expected the SHA-256 of the centre's certificate, 64 hex digits"),
    gettext_noop("expected https://… (http only to 127.0.0.1)"),
    gettext_noop("is no address; expected e.g. https://exchange.example/originate"),
    gettext_noop("holds a name or a password; enter it as the secret"),
    gettext_noop("a password goes over TLS only; expected starttls or implicit"),
    gettext_noop("expected the address that mails come from"),
    gettext_noop("expected an address of e-mail"),
    gettext_noop("expected 60 seconds to 7 days"),
    gettext_noop("expected no blank, comma, < or &, e.g. centre@example.be"),
    gettext_noop("expected some of police, fire, medical"),
    gettext_noop("expected the name of a header, e.g. Authorization"),
    gettext_noop("expected one line"),
    gettext_noop("expected {extension} in it, e.g. PJSIP/{extension}"),
    gettext_noop("expected the name of a context of the dialplan"),
    gettext_noop("url or body: expected {number} in one of them"),
    gettext_noop("is missing, expected the one that was agreed with the cloud"),
    gettext_noop("expected sip:{number}@exchange, with {number} in it"),
    gettext_noop("expected + or the digits that stand for it, as 00"),
    gettext_noop("expected letters, digits and . _ ~ + * % -"),
    gettext_noop("expected a host"),
    gettext_noop("expected sip:host:port"),
    gettext_noop("expected an address, as 192.0.2.7"),
    gettext_noop("expected two ports from 1024 to 65535, or 0 and 0"),
    gettext_noop("expected one without blanks, quotes, < > ; and backslash"),
    gettext_noop("expected it between 30 and 200 mm from the left, 40 mm wide"),
    gettext_noop("expected it between 30 and 95 mm from the top, 20 mm high"),
)
_PLACE = re.compile(r"%\((\w+)\)s")
#: a machine's name has no blank; what is said goes on to the end
_SHAPES = {"where": r"\S+", "why": ".+"}
#: a fault inside a fault inside a fault is still read
_DEPTH_MOST = 4
_ERRNO = re.compile(r"\[Errno -?\d+\] ")
#: a name before what is said of it: a field, a machine
_NAMED = re.compile(r"(?P<name>[^\s:][^:]{0,80}(?::\d+)?): (?P<why>.+)", re.DOTALL)


def said(fault: str) -> str:
    """The fault in the active language; what is none of our sentences as it came."""
    return _said(fault, _DEPTH_MOST)


def is_known(fault: str) -> bool:
    """Whether it is one of our sentences, or one behind the name of what it is about."""
    one = _NAMED.fullmatch(fault)
    return _found(fault) is not None or (one is not None and is_known(one["why"]))


def _said(fault: str, depth: int) -> str:
    fault = _ERRNO.sub("", fault)
    if depth == 0:
        return fault
    found = _found(fault)
    if found is not None:
        sentence, places = found
        if "why" in places:
            places["why"] = _said(places["why"], depth - 1)
        return gettext(sentence) % places if places else gettext(sentence)
    one = _NAMED.fullmatch(fault)
    if one is None:
        return fault
    why = _said(one["why"], depth - 1)
    return fault if why == one["why"] else gettext("%(what)s: %(why)s") % {
        "what": one["name"], "why": why,
    }  # fmt: skip


def _found(fault: str) -> tuple[str, dict[str, str]] | None:
    for sentence, pattern in _patterns():
        if match := pattern.fullmatch(fault):
            return sentence, match.groupdict()
    return None


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What has most words of its own is tried first."""
    by_words = sorted(SENTENCES, key=lambda one: -len(_PLACE.sub("", one)))
    return tuple((one, _pattern(one)) for one in by_words)


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _PLACE.split(sentence)
    text = "".join(
        f"(?P<{part}>{_SHAPES.get(part, '.+?')})" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )
    return re.compile(text, re.DOTALL)
