"""Take back mail that could not be delivered: listens for bounce addresses of ours alone.

`meldkamer run` starts it when MELDKAMER_MAIL_LISTEN says where, as 127.0.0.1:2525. What it says
"250" to is committed; without a database it says "451", and the mail comes again.
"""

import argparse
import os
import ssl
from pathlib import Path

from meldkamer.project.commands._owner import with_django
from meldkamer.project.faults import OperatingFault


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen; flags win over the environment."""
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default=os.environ.get("MELDKAMER_MAIL_LISTEN", ""),
        help="default: MELDKAMER_MAIL_LISTEN",
    )
    parser.add_argument(
        "--name",
        default=os.environ.get("MELDKAMER_MAIL_NAME", ""),
        help="the name it greets with; default: MELDKAMER_MAIL_NAME, else the machine's",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="PEM", help="offers STARTTLS with it")
    parser.add_argument("--tls-key", type=Path, metavar="PEM")


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    host, port = place(options.listen)
    tls = _tls(options.tls_cert, options.tls_key)
    with_django()
    from meldkamer.notify.mail.intake import Where, serve
    from meldkamer.project.childhood import say_ready

    try:
        return serve(Where(host, port, options.name, tls), say_ready)
    except OSError as fault:
        raise OperatingFault(f"cannot listen on {options.listen}: {fault.strerror}") from None


def place(text: str) -> tuple[str, int]:
    """Host and port; OperatingFault naming what was expected."""
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        shown = repr(text) if text else "nothing"
        raise OperatingFault(
            f"MELDKAMER_MAIL_LISTEN is {shown}; expected host:port, as 127.0.0.1:2525"
        )
    return host, int(port)


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as fault:
        raise OperatingFault(f"--tls-cert {certificate}: {fault}") from None
    return context
