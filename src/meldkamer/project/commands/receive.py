"""Listen for transmitters (DC-09 over TCP and UDP) on 127.0.0.1.

A frame is read, stored, committed, and only then acknowledged; without storage there is no
acknowledgement. Refuses to start when the database may lose what it has committed.
"""

import argparse
import os
from pathlib import Path

from meldkamer.project.commands._owner import owner

DEFAULT_PORT = 12000


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument(
        "--dc09-port",
        type=int,
        default=int(os.environ.get("MELDKAMER_DC09_PORT") or DEFAULT_PORT),
        help=f"TCP and UDP (default {DEFAULT_PORT})",
    )
    parser.add_argument(
        "--shared-port", action="store_true", help="several receivers listen on the same port"
    )
    parser.add_argument("--tls-port", type=int, help="DC-09 inside TLS, on this TCP port")
    parser.add_argument("--tls-cert", type=Path, help="its certificate, a PEM file")
    parser.add_argument("--tls-key", type=Path, help="the certificate's key, a PEM file")


def run(options: argparse.Namespace) -> int:
    """Hand over what receivers need: they know neither Django nor this package.

    `options` gets: host, dc09_port, conninfo (psycopg, the application's role), sealing_key
    (32 bytes), ready (a function to call once every port listens).
    """
    from meldkamer.project import keys
    from meldkamer.project.childhood import say_ready
    from meldkamer.project.commands._log import log_to_stderr
    from meldkamer.project.database import conninfo

    receivers = owner("meldkamer.receivers.main")
    log_to_stderr()
    options.host = "127.0.0.1"
    options.conninfo = conninfo(os.environ)
    options.sealing_key = keys.key("sealing")
    options.ready = say_ready
    return int(receivers.run(options) or 0)
