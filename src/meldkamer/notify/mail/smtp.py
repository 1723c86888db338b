"""The carrier `smtp`: mail handed to a server, over TLS that is checked unless told otherwise.

Several connections are kept open and used again. What broke, and when, decides what it was: before
the server had the whole mail it was not taken; after that and before its answer it is in doubt.
Never: a password over a line without TLS to another machine; a password or a mail's words in a log
line. Invariant: Rejected is said only of the recipient or of the mail, never of us or of the line.
"""

from __future__ import annotations

import logging
import re
import smtplib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from email.generator import BytesGenerator
from email.message import EmailMessage
from io import BytesIO

from meldkamer.notify.carrier import CarrierFault, Ears, InDoubt, Parcel, Rejected
from meldkamer.notify.letterhead import Letterhead
from meldkamer.notify.mail.addresses import Address, AddressFault, read_address, read_domain
from meldkamer.notify.mail.composing import Enclosure, Sender, compose, message_ref
from meldkamer.notify.mail.connection import Connection, SmtpSettings, tls_context
from meldkamer.notify.mail.verp import bounce_address

log = logging.getLogger(__name__)
_LEADING_DOT = re.compile(rb"(?m)^\.")
#: a whole hand-over, connecting included, takes no longer; below `outbox.CLAIM_S`
_SEND_MOST_S = 60.0
# a server that says 421 wants fewer connections: the line pauses for so long
_REST_S = 10.0
_DATA_GOES_ON, _DONE, _OK, _FORWARDED = 354, 250, 250, 251
_GOING, _TOO_LARGE = 421, 552

#: what the house knows of a parcel: who writes, and the papers that go with it
Papers = Callable[[Parcel], tuple[Letterhead, Sequence[Enclosure]]]


def build(settings: SmtpSettings, secrets: Mapping[str, str], ears: Ears) -> SmtpCarrier:
    """A carrier for this server; letterhead and papers are read from the house's tables."""
    from meldkamer.notify.mail.enclosures import papers_of

    return SmtpCarrier(settings, secrets.get("password", ""), papers_of)


class SmtpCarrier:
    """Hands mails to one server over a few connections."""

    def __init__(self, settings: SmtpSettings, password: str, papers: Papers) -> None:
        self.settings = settings
        self.at_once = settings.connections
        self._password, self._papers = password, papers
        self._sender = Sender(
            read_address(settings.sender), settings.sender_name, settings.reply_to
        )
        self._bounces = read_domain(settings.bounce_domain) if settings.bounce_domain else ""
        self._context = tls_context(settings)
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def open(self) -> None:
        """Connect once, so that a wrong name or password is known before the first mail."""
        self._put_back(self._connect(_deadline_s()))

    def check(self) -> None:
        """Whether the server answers and lets us in; asked anew when nothing went for a while."""
        self._put_back(self._take(_deadline_s()), used=False)

    def close(self) -> None:
        """Say good-bye on every idle connection."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close(politely=True)

    def send(self, parcel: Parcel) -> str:
        """Hand a mail over; our own reference of it, which is in its Message-ID too."""
        try:
            to = read_address(parcel.address)
        except AddressFault as fault:
            raise Rejected(str(fault)) from None
        letterhead, enclosures = self._papers(parcel)
        content = _as_bytes(compose(parcel, to, self._sender, letterhead, enclosures))
        if len(content) > self.settings.largest_bytes:
            raise Rejected(
                f"the mail has {len(content)} bytes, this carrier takes "
                f"{self.settings.largest_bytes}: an attachment is too large"
            )
        sender = self._sender.address
        back = bounce_address(parcel.id, self._bounces) if self._bounces else str(sender)
        until_s = _deadline_s()
        try:
            said = self._hand_over(self._take(until_s), back, to, content, until_s)
        except _Stale:
            said = self._hand_over(self._connect(until_s), back, to, content, until_s)
        log.info("mail %d taken: %s", parcel.id, said)
        return message_ref(parcel.id)

    # --- the conversation

    def _hand_over(
        self, line: Connection, back: str, to: Address, content: bytes, until_s: float
    ) -> str:
        """MAIL, RCPT, DATA on a connection; what the server said. It is put back or closed."""
        used = line.mails > 0
        try:
            self._envelope(line, back, to, len(content), until_s)
            self._content(line, content, until_s)
            code, said = self._answer_to_content(line, until_s)
        except Rejected:
            self._start_again(line)
            raise
        except (OSError, smtplib.SMTPException) as fault:
            line.close()
            if used and not isinstance(fault.__context__, TimeoutError):
                # closed by the server while it lay still: it had not got the whole mail
                raise _Stale from None
            raise CarrierFault(_words(fault)) from None
        except CarrierFault:
            line.close()
            raise
        if code != _DONE:
            if code == _GOING:
                line.close()
            else:
                self._start_again(line)
            raise _refusal(code, said)
        self._put_back(line)
        return _text(said)

    def _envelope(
        self, line: Connection, back: str, to: Address, size: int, until_s: float
    ) -> None:
        smtp = line.smtp
        line.hurry(until_s)
        options = [f"SIZE={size}"] if smtp.has_extn("size") else []
        if smtp.has_extn("8bitmime"):
            options.append("BODY=8BITMIME")
        asked: list[str] = []
        if smtp.has_extn("dsn"):  # what comes back need not have the whole mail in it
            options.append("RET=HDRS")
            asked.append("NOTIFY=FAILURE,DELAY")
        if to.needs_utf8 or self._sender.address.needs_utf8:
            if not smtp.has_extn("smtputf8"):
                raise Rejected(
                    f"{to}: this mail server takes no letters beyond ASCII before the @ (SMTPUTF8)"
                )
            options.append("SMTPUTF8")
            smtp.command_encoding = "utf-8"
        else:
            smtp.command_encoding = "ascii"
        code, said = smtp.mail(back, options)
        if code == _GOING and line.mails:  # it lay still for too long
            raise smtplib.SMTPServerDisconnected("the mail server closes this connection")
        if code != _OK:
            if code == _TOO_LARGE:
                raise Rejected(f"552 {_text(said)}")
            # of us, not of the recipient: another carrier may take it, or this one later
            after_s = _REST_S if code == _GOING else None
            raise CarrierFault(f"the sender was refused: {code} {_text(said)}", after_s=after_s)
        line.hurry(until_s)
        code, said = smtp.rcpt(str(to), asked)
        if code not in (_OK, _FORWARDED):
            raise _refusal(code, said, of_recipient=True)

    @staticmethod
    def _content(line: Connection, content: bytes, until_s: float) -> None:
        smtp = line.smtp
        line.hurry(until_s)
        smtp.putcmd("data")
        code, said = smtp.getreply()
        if code != _DATA_GOES_ON:
            raise _refusal(code, said)
        line.hurry(until_s)
        # at once: two writes would wait for each other. What fails here had no end, so was no mail
        smtp.send(_LEADING_DOT.sub(b"..", content) + b".\r\n")

    @staticmethod
    def _answer_to_content(line: Connection, until_s: float) -> tuple[int, bytes]:
        """The answer to the whole mail. It may have been taken when none comes: InDoubt."""
        line.mails += 1
        try:
            line.hurry(until_s)
            return line.smtp.getreply()
        except (OSError, smtplib.SMTPException) as fault:
            raise InDoubt(f"no answer after the mail was given: {_words(fault)}") from None

    # --- connections

    def _connect(self, until_s: float) -> Connection:
        try:
            return Connection(self.settings, self._password, self._context, until_s)
        except smtplib.SMTPAuthenticationError as fault:
            # the server's own words may repeat what was sent to it
            raise CarrierFault(
                f"{self.settings.host} does not let {self.settings.user} in: {fault.smtp_code}"
            ) from None
        except (OSError, smtplib.SMTPException) as fault:
            raise CarrierFault(f"{self.settings.host}: {_words(fault)}") from None

    def _take(self, until_s: float) -> Connection:
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                return self._connect(until_s)
            if line.lives():
                return line
            line.close()

    def _put_back(self, line: Connection, *, used: bool = True) -> None:
        if used:
            line.used_s = time.monotonic()
        with self._lock:
            if len(self._idle) < self.at_once:
                self._idle.append(line)
                return
        line.close(politely=True)

    def _start_again(self, line: Connection) -> None:
        """Forget the mail that was begun; the connection can be used for another."""
        try:
            code, _ = line.smtp.rset()
        except (OSError, smtplib.SMTPException):
            code = 0
        if code == _OK:
            self._put_back(line)
        else:
            line.close()


class _Stale(Exception):
    """A connection that had lain still was closed by the server: a new one is tried at once."""


def _refusal(code: int, said: bytes, *, of_recipient: bool = False) -> CarrierFault:
    """What a server's no means: 5xx for good, 421 the line, other 4xx later.

    of_recipient: this mailbox lets strangers wait, say; others may go meanwhile.
    """
    words = f"{code} {_text(said)}"
    if 500 <= code < 600:
        return Rejected(words)
    going = code == _GOING
    return CarrierFault(words, after_s=_REST_S if going else None, blames=going or not of_recipient)


def _text(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())[:300]


def _words(fault: BaseException) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"{fault.smtp_code} {_text(_bytes(fault.smtp_error))}"
    return " ".join(str(fault).split())[:300] or type(fault).__name__


def _bytes(said: bytes | str) -> bytes:
    return said.encode() if isinstance(said, str) else said


def _as_bytes(mail: EmailMessage) -> bytes:
    out = BytesIO()
    BytesGenerator(out, policy=mail.policy).flatten(mail)
    content = out.getvalue()
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _deadline_s() -> float:
    return time.monotonic() + _SEND_MOST_S
