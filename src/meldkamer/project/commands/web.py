"""The browser's side: console and office, on 127.0.0.1. TLS is the business of a proxy before it.

Open streams of events end with the process: at SIGTERM requests have 2 s to finish.
"""

import argparse
import os
from typing import Any

#: an open stream would hold the stop for ever; `meldkamer run` promises 5 s in all
GRACE_S = 2
POOL = "10"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("MELDKAMER_WEB_PORT") or 8000)
    )


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    os.environ.setdefault("MELDKAMER_DB_POOL", POOL)
    from meldkamer.project.asgi import application

    return serve(application, options.port)


def serve(application: Any, port: int, grace_s: int | None = GRACE_S) -> int:
    """Serve an ASGI application on 127.0.0.1; at SIGTERM open requests have `grace_s` to end."""
    import uvicorn

    from meldkamer.console import feed
    from meldkamer.project.childhood import say_ready

    class Web(uvicorn.Server):
        """Says when it listens."""

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                say_ready()

        async def shutdown(self, sockets: Any = None) -> None:
            # the open consoles would hold the stop until the grace is over
            feed.close_all()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=grace_s,
        timeout_keep_alive=30,
    )
    server = Web(config)
    server.run()
    return 0 if server.started else 1
