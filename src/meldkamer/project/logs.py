"""Log lines: one line per record, so that a line can be counted, searched and shipped.

A record must never carry a secret: no identification code, password or transmitter key is
ever handed to a logger; the text of a frame's plain header may be.
"""

import logging
from datetime import UTC, datetime
from typing import Any


class OneLine(logging.Formatter):
    """`2026-03-02T21:00:00.123Z WARNING meldkamer.x  message`, line ends written as \\n."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, its traceback included."""
        at = datetime.fromtimestamp(record.created, UTC)
        moment = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
        text = f"{moment} {record.levelname} {record.name}  {record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


def logging_config(level: str = "INFO") -> dict[str, Any]:
    """The dictConfig of every process: stderr, one line each."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "meldkamer.project.logs.OneLine"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
        },
    }
