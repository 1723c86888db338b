"""How much one sender may take of us, so that a scanner or a broken panel hurts nobody else.

Why: the port is open to the internet. Each source address has a bucket of frames, a smaller one
of frames that were stored but not believed, a number of connections and a count of noise.
Never: count UDP noise towards a ban (its source can be forged, a panel would pay for it), or ban
a source that has sent believed frames of late (panels share an address with scanners behind it).
Invariant: what is kept per source is bounded in number and forgotten in time.
"""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures; rates are frames per second, bursts frames."""

    connections: int = 8000
    connections_per_source: int = 500
    frames_per_s: float = 1000.0
    frames_burst: float = 5000.0
    #: stored for a person to look at, but not believed: unknown accounts, wrong keys, noise
    doubted_per_s: float = 2.0
    doubted_burst: float = 120.0
    noise_before_close: int = 5
    noise_before_ban: int = 20
    ban_s: float = 600.0
    #: a connection that has not sent one believed frame by then is closed
    first_frame_s: float = 120.0
    #: an unfinished frame is given up
    unfinished_s: float = 15.0
    #: longer than the longest supervision interval in the field (25 h)
    idle_s: float = 26 * 3600.0
    sources_kept: int = 100_000


class Source:
    """What is known of one address."""

    __slots__ = (
        "_doubted", "_doubted_at_s", "_frames", "_frames_at_s", "banned_until_s", "believed_at_s",
        "connections", "noise",
    )  # fmt: skip

    def __init__(self, limits: Limits, now_s: float) -> None:
        self._frames = limits.frames_burst
        self._frames_at_s = now_s
        self._doubted = limits.doubted_burst
        self._doubted_at_s = now_s
        self.connections = 0
        self.noise = 0
        self.banned_until_s = 0.0
        self.believed_at_s: float | None = None

    def take_frame(self, limits: Limits, now_s: float) -> float:
        """Pay for a frame; returns how long to wait before reading on, s (0: no need)."""
        self._frames = min(
            limits.frames_burst,
            self._frames + (now_s - self._frames_at_s) * limits.frames_per_s,
        )
        self._frames_at_s = now_s
        self._frames -= 1
        return -self._frames / limits.frames_per_s if self._frames < 0 else 0.0

    def take_doubted(self, limits: Limits, now_s: float) -> bool:
        """Pay for storing a frame that is not believed; False: leave it, nothing was promised."""
        self._doubted = min(
            limits.doubted_burst,
            self._doubted + (now_s - self._doubted_at_s) * limits.doubted_per_s,
        )
        self._doubted_at_s = now_s
        if self._doubted < 1:
            return False
        self._doubted -= 1
        return True

    def believed(self, now_s: float) -> None:
        """A frame of a known account came from here."""
        self.believed_at_s = now_s
        self.noise = 0

    def trusted(self, limits: Limits, now_s: float) -> bool:
        """Whether a believed frame came from here within the idle limit."""
        return self.believed_at_s is not None and now_s - self.believed_at_s < limits.idle_s

    def note_noise(self, limits: Limits, now_s: float) -> None:
        """Noise over a connection; too much of it closes the door for a while."""
        self.noise += 1
        if self.noise >= limits.noise_before_ban and not self.trusted(limits, now_s):
            self.banned_until_s = now_s + limits.ban_s
            self.noise = 0


class Gate:
    """All sources. `now_s` is the loop's monotonic clock everywhere."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.connections = 0
        self.banned = 0
        self._sources: OrderedDict[str, Source] = OrderedDict()

    def source(self, address: str, now_s: float) -> Source:
        """What is known of an address."""
        found = self._sources.get(address)
        if found is None:
            found = self._sources[address] = Source(self.limits, now_s)
            self._forget()
        else:
            self._sources.move_to_end(address)
        return found

    def may_connect(self, source: Source, now_s: float) -> bool:
        """Whether one more connection from there is taken."""
        return (
            source.banned_until_s <= now_s
            and source.connections < self.limits.connections_per_source
            and self.connections < self.limits.connections
        )

    def _forget(self) -> None:
        """Drop the ones unheard of longest; one with connections open is kept."""
        while len(self._sources) > self.limits.sources_kept:
            address, source = self._sources.popitem(last=False)
            if source.connections:
                self._sources[address] = source
                return
