"""Bound sockets: TCP and UDP on one port number, shared by several receiving processes."""

import socket

#: a burst of datagrams waits here while a batch is decided on, bytes
UDP_BUFFER = 4 * 1024 * 1024

#: answers are small; a peer that does not read them shall not cost more than this, bytes
TCP_ANSWERS = 64 * 1024


class PortTaken(Exception):
    """A port that cannot be had; the message names it."""


def bound(host: str, port: int, *, udp: bool, shared: bool = False) -> socket.socket:
    """A non-blocking socket on host and port. `shared`: other processes bind the same port.

    Raises PortTaken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    sock = socket.socket(family, kind)
    try:
        if udp:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, TCP_ANSWERS)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError as fault:
        sock.close()
        name = "UDP" if udp else "TCP"
        raise PortTaken(f"{name} port {port} on {host} cannot be had: {fault.strerror}") from None
    return sock


def bound_pair(host: str, port: int, *, shared: bool = False) -> list[socket.socket]:
    """TCP and UDP on the same number; port 0 takes any number that is free for both."""
    for _ in range(50):
        tcp = bound(host, port, udp=False, shared=shared)
        try:
            return [tcp, bound(host, tcp.getsockname()[1], udp=True, shared=shared)]
        except PortTaken:
            tcp.close()
            if port:
                raise
    raise PortTaken(f"no port on {host} is free for both TCP and UDP")
