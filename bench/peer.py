"""pysiaalarm as it does best: asyncio, keys of its own form, and it stores nothing.

`python -O -m bench.peer PORT tcp|udp FIRST_ACCOUNT ACCOUNTS [KEY]`. Without -O one of its asserts
keeps it from answering over UDP on Python 3.11.
"""

import asyncio
import sys

from pysiaalarm import CommunicationsProtocol, SIAAccount
from pysiaalarm.aio import SIAClient


async def main(port: int, protocol: str, first: int, count: int, key: str | None) -> None:
    """Serve until killed."""

    async def take(_event: object) -> None:
        """What a user of it would do with the signal: nothing."""

    accounts = [SIAAccount(f"{first + number:04X}", key) for number in range(count)]
    kind = CommunicationsProtocol.TCP if protocol == "tcp" else CommunicationsProtocol.UDP
    client = SIAClient("127.0.0.1", port, accounts, take, protocol=kind)
    await client.async_start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]),
            sys.argv[2],
            int(sys.argv[3]),
            int(sys.argv[4]),
            *sys.argv[5:6] or [None],
        )
    )
