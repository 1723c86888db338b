"""An SMS centre for the bench, a process of its own: `python -m bench.smpp_centre DELAY_MS`.

`smpp34.Server` does the protocol; every text is taken after so long. Prints its port.
"""

import asyncio
import socket
import sys

import smpp34


async def serve(delay_s: float) -> None:
    """Until killed."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = int(one.getsockname()[1])
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    print(port, flush=True)
    loop, count = asyncio.get_running_loop(), 0
    while True:
        one_event = await server.next()
        if not isinstance(one_event, smpp34.SubmitSmEvent):
            continue
        count += 1
        if delay_s:
            loop.call_later(delay_s, one_event.accept, str(count))
        else:
            one_event.accept(str(count))


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
