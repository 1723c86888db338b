"""A parcel as a mail: the same words as text and as simple HTML, who writes under both (S24.5).

Never: a header out of what somebody typed with a line end in it, nor HTML out of anything: words
are escaped, there is no picture and no link in it. The same parcel gives the same mail each time,
so that a server that got it twice can see so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from html import escape

from meldkamer.notify.carrier import Parcel
from meldkamer.notify.letterhead import Letterhead
from meldkamer.notify.mail.addresses import Address
from meldkamer.notify.mail.verp import mac_of

_SUBJECT_MOST = 200
_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{subject}</title>
</head>
<body style="font-family: Arial, Helvetica, sans-serif; font-size: 16px; line-height: 1.5; \
max-width: 40em; margin: 0 auto; padding: 16px">
<main>
<h1 style="font-size: 20px; line-height: 1.3">{subject}</h1>
{words}
</main>
<footer style="border-top: 1px solid #767676; margin-top: 24px; padding-top: 8px; font-size: 14px">
{foot}
</footer>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A paper that goes with a message."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """Who is named as sender. name and reply_to: "" means as the letterhead says."""

    address: Address
    name: str = ""
    reply_to: str = ""


def compose(
    parcel: Parcel,
    to: Address,
    sender: Sender,
    letterhead: Letterhead,
    enclosures: Sequence[Enclosure] = (),
) -> EmailMessage:
    """The whole mail, its envelope apart."""
    mail = EmailMessage(policy=SMTPUTF8 if to.needs_utf8 or sender.address.needs_utf8 else SMTP)
    subject = plain(parcel.subject) or plain(parcel.body)[:78]
    mail["Subject"] = subject[:_SUBJECT_MOST]
    mail["From"] = _named(sender.name or letterhead.name, sender.address)
    mail["To"] = _named(parcel.recipient, to)
    reply_to = sender.reply_to or letterhead.email
    if reply_to and reply_to != str(sender.address):
        mail["Reply-To"] = plain(reply_to)
    # when it was decided; the same at each attempt
    mail["Date"] = format_datetime(parcel.created_at)
    mail["Message-ID"] = f"<{message_ref(parcel.id)}@{sender.address.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    foot = [letterhead.name, *letterhead.company_lines(parcel.language)]
    contact = letterhead.contact_line(parcel.language)
    if contact:
        foot.insert(1, contact)
    mail.set_content(f"{parcel.body}\n\n-- \n" + "\n".join(foot) + "\n", cte="quoted-printable")
    mail.add_alternative(
        as_html(subject, parcel.body, foot, parcel.language),
        subtype="html",
        cte="quoted-printable",
    )
    for enclosure in enclosures:
        main, _, sub = enclosure.content_type.partition("/")
        mail.add_attachment(
            enclosure.content, maintype=main, subtype=sub, filename=plain(enclosure.name)
        )
    # last: making it of several parts gives the headers of its content to the first of them
    mail["Content-Language"] = parcel.language
    return mail


def message_ref(message_id: int) -> str:
    """Our own name of a mail: in its Message-ID, and what a receipt is for."""
    return f"meldkamer.{message_id}.{mac_of(message_id)}"


def plain(text: str) -> str:
    """On one line, without any character that is not shown."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def as_html(subject: str, body: str, foot: Sequence[str], language: str) -> str:
    """The words as a page that every reader and screen reader reads: headings, lists, no colour."""
    return _PAGE.format(
        language=escape(language),
        subject=escape(subject),
        words="\n".join(_block(block) for block in body.split("\n\n") if block.strip()),
        foot="<br>\n".join(escape(line) for line in foot),
    )


def _block(block: str) -> str:
    lines = [line for line in block.split("\n") if line.strip()]
    if all(line.startswith("- ") for line in lines):
        return "<ul>\n" + "\n".join(f"<li>{escape(line[2:])}</li>" for line in lines) + "\n</ul>"
    return "<p>" + "<br>\n".join(escape(line) for line in lines) + "</p>"


def _named(name: str, address: Address) -> HeaderAddress:
    shown = plain(name)
    return HeaderAddress(
        "" if shown == str(address) else shown, username=address.local, domain=address.domain
    )
