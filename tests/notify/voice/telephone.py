"""The telephone at the other end: sipp, which no one here wrote, and an ear for what it hears.

sipp does the SIP; sound goes to a socket of ours, which keeps what came and presses keys by sending
the RFC 4733 packets of sipp's own recordings. (sipp itself needs a raw socket to play them, and so
the rights of root.)
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
import time
from array import array
from pathlib import Path
from types import TracebackType

from tests.peers import free_port

RECORDINGS = Path("/usr/share/sip-tester")
_EVENTS = 101
_HEADERS = {
    "invite": "[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n"
    "[last_CSeq:]\nContact: <sip:[local_ip]:[local_port];transport=[transport]>\n",
    "other": "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n",
}
# what a request of the telephone's own needs of the call's first message
_REMEMBER = """<action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="called"/>
<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
</action>"""


def received(method: str, action: str = "") -> str:
    """Wait for a request."""
    return f'<recv request="{method}">{action}</recv>'


def answered(line: str, body: str = "", *, of: str = "invite", again: bool = False) -> str:
    """Send an answer. again: until it is confirmed."""
    kind = "Content-Type: application/sdp\n" if body else ""
    retrans = ' retrans="500"' if again else ""
    return (
        f"<send{retrans}><![CDATA[\nSIP/2.0 {line}\n{_HEADERS[of]}{kind}"
        f"Content-Length: [len]\n\n{body}]]></send>"
    )


def asked(method: str, body: str = "", kind: str = "") -> str:
    """Send a request within the call and wait for its answer."""
    content = f"Content-Type: {kind}\n" if kind else ""
    return (
        f'<send retrans="500"><![CDATA[\n{method} [$contact] SIP/2.0\n'
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        "From: [$called];tag=[call_number]\nTo: [$caller]\n[last_Call-ID:]\n"
        f"CSeq: 7 {method}\nMax-Forwards: 9\n{content}Content-Length: [len]\n\n{body}]]></send>"
        '<recv response="200"/>'
    )


TAKES_UP = (
    received("INVITE", _REMEMBER)
    + answered("180 Ringing")
    + answered("200 OK", "SDP", again=True)
    + received("ACK")
)
HUNG_UP_ON = received("BYE") + answered("200 OK", of="other")
#: answers and stays silent, as a voicemail or a deaf person does
LISTENS = TAKES_UP + HUNG_UP_ON
#: takes up after some sound of the exchange: "the number you have dialled…"
EARLY = (
    received("INVITE", _REMEMBER)
    + answered("183 Session Progress", "SDP")
    + '<pause milliseconds="700"/>'
    + answered("200 OK", "SDP", again=True)
    + received("ACK")
    + HUNG_UP_ON
)
HANGS_UP = TAKES_UP + '<pause milliseconds="300"/>' + asked("BYE")
SENDS_INFO = (
    TAKES_UP
    + '<pause milliseconds="300"/>'
    + asked("INFO", "Signal=1\nDuration=160\n", "application/dtmf-relay")
    + HUNG_UP_ON
)
RINGS = (
    received("INVITE")
    + answered("180 Ringing")
    + received("CANCEL")
    + answered("200 OK", of="other")
    + answered("487 Request Terminated", of="other").replace("[last_CSeq:]", "CSeq: [cseq] INVITE")
)


def refuses(line: str) -> str:
    """Does not take the call."""
    return received("INVITE") + answered(line, again=True) + received("ACK")


def rings_then(line: str) -> str:
    """Rings, and is not taken up."""
    return (
        received("INVITE")
        + answered("180 Ringing")
        + '<pause milliseconds="300"/>'
        + answered(line, again=True)
        + received("ACK")
    )


_STARTS_MOST = 4


class Telephone:
    """sipp under a scenario, on a port of its own; `ear` hears and presses keys."""

    def __init__(
        self, scenario: str, place: Path, *, calls: int = 1, transport: str = "udp"
    ) -> None:
        self.ear = Ear()
        self._transport = transport
        body = (
            "v=0\no=telephone 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
            f"m=audio {self.ear.port} RTP/AVP 8 {_EVENTS}\na=rtpmap:8 PCMA/8000\n"
            f"a=rtpmap:{_EVENTS} telephone-event/8000\na=fmtp:{_EVENTS} 0-15\n"
        )
        used = '<Reference variables="caller,called,contact"/>' if _REMEMBER in scenario else ""
        file = place / f"scenario-{self.ear.port}.xml"
        file.write_text(
            '<?xml version="1.0" encoding="ISO-8859-1"?><scenario name="telephone">'
            f"{scenario.replace('SDP]]', body + ']]')}{used}</scenario>"
        )
        self._place, self._file, self._calls = place, file, calls
        self._start()

    def _start(self) -> None:
        self.port = free_port()
        self._log = (self._place / f"sipp-{self.ear.port}.log").open("wb")
        self._sipp = subprocess.Popen(
            ["sipp", "-sf", str(self._file), "-i", "127.0.0.1", "-p", str(self.port),
             "-m", str(self._calls), "-nostdin", "-timeout", "60",
             "-t", "t1" if self._transport == "tcp" else "u1", "-mp", str(free_port())],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, cwd=self._place,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip

    def __enter__(self) -> Telephone:
        until_s, starts = time.monotonic() + 20, 1
        while not _bound(self.port, self._transport):
            over = self._sipp.poll() is not None
            if over and starts < _STARTS_MOST:
                # another test took the port between its choice and here
                self._log.close()
                self._start()
                starts += 1
            elif over or time.monotonic() > until_s:
                self._end()
                raise AssertionError(f"sipp did not start: {self.said()}")
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._sipp.poll() is None:
            self._sipp.kill()
        self._sipp.wait()
        self._log.close()
        self.ear.close()

    @property
    def exchange(self) -> str:
        """What a carrier dials."""
        return f"sip:{{number}}@127.0.0.1:{self.port}"

    def satisfied(self) -> None:
        """The scenario ran to its end, as written."""
        assert self._sipp.wait(20) == 0, self.said()

    def said(self) -> str:
        """sipp's last screen."""
        return Path(self._log.name).read_text(errors="replace")[-1500:]


class Ear(threading.Thread):
    """Keeps the sound that comes, and presses keys."""

    def __init__(self) -> None:
        super().__init__(name="ear", daemon=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._heard = array("h")
        self._from: tuple[str, int] | None = None
        self._changed = threading.Condition()
        self.start()

    def run(self) -> None:
        while True:
            try:
                packet, sender = self._socket.recvfrom(2048)
            except OSError:
                return
            if packet[1] & 0x7F == 8:
                with self._changed:
                    self._from = sender
                    self._heard.extend(_alaw(octet) for octet in packet[12:])
                    self._changed.notify_all()

    def heard(self) -> array[int]:
        """All sound so far, 8000 samples a second."""
        with self._changed:
            return self._heard[:]

    def listen(self, seconds: float, loud: int = 2000) -> None:
        """Until so much of somebody speaking was heard."""
        with self._changed:
            spoke = self._changed.wait_for(
                lambda: sum(abs(one) > loud for one in self._heard) > seconds * 8000 / 4, 20
            )
        assert spoke, f"nobody spoke: {len(self._heard)} samples"

    def press(self, key: str) -> None:
        """The packets of sipp's recording of this key, to where the sound comes from."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._from is not None, 20), "no sound came"
            to = self._from
        assert to is not None
        for packet in _recorded(RECORDINGS / f"dtmf_2833_{key}.pcap"):
            self._socket.sendto(packet, to)
            time.sleep(0.005)

    def close(self) -> None:
        # wakes the thread, which a close alone does not
        self._socket.sendto(b"\0" * 12, ("127.0.0.1", self.port))
        self._socket.close()


def _alaw(octet: int) -> int:
    """ITU-T G.711."""
    octet ^= 0x55
    segment, low = (octet & 0x70) >> 4, (octet & 0x0F) << 4
    level = low + 8 if segment == 0 else (low + 0x108) << (segment - 1)
    return level if octet & 0x80 else -level


def _recorded(path: Path) -> list[bytes]:
    """The UDP payloads of a pcap file with Ethernet frames."""
    content = path.read_bytes()
    order = "<" if content[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    found, at = [], 24
    while at < len(content):
        length = struct.unpack_from(f"{order}I", content, at + 8)[0]
        frame = content[at + 16 : at + 16 + length]
        found.append(frame[14 + (frame[14] & 0x0F) * 4 + 8 :])
        at += 16 + length
    return found


def _bound(port: int, transport: str) -> bool:
    rows = Path(f"/proc/net/{transport}").read_text().splitlines()[1:]
    return any(int(row.split()[1].partition(":")[2], 16) == port for row in rows)
