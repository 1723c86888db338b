"""Mails that come back, as several servers write them. Written here after their form."""

from __future__ import annotations


def report(
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <an@peeters.example>: user unknown",
) -> bytes:
    """A report of RFC 3464, with the headers of the mail it is about."""
    return f"""\
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: bounces+7.x@centre.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Sun, 22 Nov 2026 03:04:05 +0000

Final-Recipient: rfc822; an@peeters.example
Original-Recipient: rfc822;an@peeters.example
Action: {action}
Status: {status}
Remote-MTA: dns; mail.peeters.example
Diagnostic-Code: {diagnostic}

--b1
Content-Type: text/rfc822-headers

Subject: Bewaking onderbroken
Auto-Submitted: auto-generated

--b1--
""".replace("\n", "\r\n").encode()


def plain(*headers: str, body: str = "") -> bytes:
    """A mail of these headers."""
    return ("\r\n".join(headers) + "\r\n\r\n" + body).encode()


EXIM = plain(
    "From: Mail Delivery System <Mailer-Daemon@mx.example>",
    "X-Failed-Recipients: an@peeters.example",
    "Auto-Submitted: auto-replied",
    "Subject: Mail delivery failed: returning message to sender",
    body="A message could not be delivered.\r\n  an@peeters.example\r\n"
    "    550 5.2.1 mailbox disabled for an@peeters.example\r\n",
)
QMAIL = plain(
    "From: MAILER-DAEMON@old.example",
    "Subject: failure notice",
    body="Hi. I'm afraid I wasn't able to deliver your message.\r\n<an@peeters.example>:\r\n"
    "Sorry, no mailbox here by that name. (#5.1.1)\r\n",
)
AWAY = plain(
    "From: An Peeters <an@peeters.example>",
    "Auto-Submitted: auto-replied (vacation)",
    "Subject: =?utf-8?q?Afwezig?=",
    body="Ik ben met vakantie tot 550 dagen later.",
)
OLD_AWAY = plain("From: an@peeters.example", "Precedence: auto_reply", "Subject: away")
PERSON = plain("From: an@peeters.example", "Subject: Re: Bewaking", body="Bel mij op 5.1.1 aub")
