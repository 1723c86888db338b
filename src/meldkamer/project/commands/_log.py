"""Logging for the commands that run without Django."""

import logging.config
import os


def log_to_stderr() -> None:
    """One line per record on stderr, as every process of the house does."""
    from meldkamer.project.logs import logging_config

    logging.config.dictConfig(logging_config(os.environ.get("MELDKAMER_LOG_LEVEL", "INFO")))
