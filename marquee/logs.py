"""Logging for every process: structlog, one JSON object a line on stderr, with the process's name in every line.

A process's main calls `configure_logging` once. All other modules call `get_logger`. Nothing else configures logging.
"""

import logging
import sys
from contextlib import AbstractContextManager

import structlog


def configure_logging(process: str, *, level: int = logging.INFO) -> None:
    """Set up logging for the process named `process`. Call it once, before the first line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # sys.stderr is read for each line, because it may have been replaced.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """The logger. It may be created at import: it reads the configuration when it writes its first line."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def log_context(**values: object) -> AbstractContextManager[None]:
    """A block in which every line carries `values`: the lines of this task and of the tasks that it starts."""
    return structlog.contextvars.bound_contextvars(**values)
