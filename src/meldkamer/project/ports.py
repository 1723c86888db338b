"""Chooses ports on the loopback address before anything is started.

A port somebody asked for is taken or refused, never silently another one; a default port that
is in use gives way to the next free one.
"""

import socket

from meldkamer.project.faults import OperatingFault

LOOPBACK = "127.0.0.1"
NEXT_TRIED = 50


class PortFault(OperatingFault):
    """A port that cannot be had; the message names it."""


def free_port(wanted: int, *, asked_for: bool, what: str, udp: bool = False) -> int:
    """`wanted`, or the next free one when nobody asked for just this one.

    `udp`: the same number must be free for TCP and UDP. Raises PortFault.
    """
    if not 0 < wanted < 65536:
        raise PortFault(f"{what}: {wanted} is no port; expected 1 to 65535")
    if asked_for:
        if _free(wanted, udp):
            return wanted
        raise PortFault(
            f"{what}: port {wanted} on {LOOPBACK} is in use or not allowed; stop what uses it "
            "or name another one"
        )
    for port in range(wanted, min(wanted + NEXT_TRIED, 65536)):
        if _free(port, udp):
            return port
    raise PortFault(f"{what}: no free port from {wanted} to {wanted + NEXT_TRIED - 1}")


def _free(port: int, udp: bool) -> bool:
    kinds = [socket.SOCK_STREAM, *([socket.SOCK_DGRAM] if udp else [])]
    for kind in kinds:
        with socket.socket(socket.AF_INET, kind) as tried:
            if kind == socket.SOCK_STREAM:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
