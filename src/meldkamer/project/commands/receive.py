"""Listen for transmitters (DC-09 over TCP and UDP) on 127.0.0.1.

A frame is read, stored, committed, and only then acknowledged; without storage there is no
acknowledgement. Refuses to start when the database may lose what it has committed.
"""

import argparse
import os
from ipaddress import ip_network
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
        "--shared-port", action="store_true", help="several receiving processes share the port"
    )
    parser.add_argument("--tls-port", type=int, help="DC-09 inside TLS as well")
    parser.add_argument("--tls-cert", type=Path, metavar="PEM", help="its certificate chain")
    parser.add_argument("--tls-key", type=Path, metavar="PEM", help="its private key")
    parser.add_argument(
        "--unknown-account",
        choices=("silent", "ack"),
        default="silent",
        help="answer of a stored frame of an unknown account (default: none)",
    )
    parser.add_argument(
        "--unsupported",
        choices=("duh", "ack"),
        default="duh",
        help="answer to a message of a kind that is not supported (default: duh)",
    )
    parser.add_argument(
        "--allow-source",
        action="append",
        default=[],
        type=ip_network,
        metavar="NET",
        help="network that may dial in, as 192.0.2.0/24; may be repeated (default: all)",
    )
    parser.add_argument(
        "--frames-per-source",
        type=float,
        default=1000.0,
        metavar="N",
        help="frames a second taken from one address (default 1000); more for a cloud relay",
    )
    parser.add_argument(
        "--connections-per-source",
        type=int,
        default=500,
        metavar="N",
        help="open connections from one address (default 500)",
    )


def run(options: argparse.Namespace) -> int:
    """Hand over what receivers need: they know neither Django nor this package.

    `options` gets: host, dc09_port, conninfo (psycopg, the application's role), sealing_key
    (32 bytes), policy, limits, ready (a function to call once every port listens), and the
    shared and TLS ports as they were given.
    """
    from meldkamer.project import keys
    from meldkamer.project.childhood import say_ready
    from meldkamer.project.commands._log import log_to_stderr
    from meldkamer.project.database import conninfo
    from meldkamer.receivers.limits import Limits
    from meldkamer.receivers.policy import Policy

    receivers = owner("meldkamer.receivers.main")
    log_to_stderr()
    options.host = "127.0.0.1"
    options.conninfo = conninfo(os.environ)
    options.sealing_key = keys.key("sealing")
    options.policy = Policy(
        options.unknown_account, options.unsupported, tuple(options.allow_source)
    )
    options.limits = Limits(
        connections_per_source=options.connections_per_source,
        frames_per_s=options.frames_per_source,
        frames_burst=5 * options.frames_per_source,
    )
    options.ready = say_ready
    return int(receivers.run(options) or 0)
