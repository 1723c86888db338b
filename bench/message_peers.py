"""What takes messages in the bench: a mail server, an SMS gateway, a panel maker's cloud.

`python -m bench.message_peers`. `aiosmtpd` and `aiohttp` do the protocols. Prints one line of
JSON, {"mail": port, "http": port}, then runs until killed.
"""

import asyncio
import json
import socket

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Box:
    async def handle_DATA(  # noqa: N802 - a name of aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return "250 taken"


async def _sendsms(request: web.Request) -> web.Response:
    await request.post()
    return web.Response(status=202, text="0: Accepted for delivery")


async def _cloud(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=200)


async def run() -> None:
    """Until killed."""
    loop = asyncio.get_running_loop()
    mail = await loop.create_server(lambda: SMTP(_Box(), loop=loop), "127.0.0.1", 0)
    app = web.Application()
    app.router.add_route("*", "/cgi-bin/sendsms", _sendsms)
    app.router.add_route("*", "/cloud", _cloud)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    ports = {"mail": mail.sockets[0].getsockname()[1], "http": sock.getsockname()[1]}
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run())
