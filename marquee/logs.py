"""The one way to log: structlog, one JSON object a line on stderr, with the process's name in every line."""

import logging
import sys
from contextlib import AbstractContextManager

import structlog


def configure_logging(process: str, *, level: int = logging.INFO) -> None:
    """Set up logging for a process's main; call once, before anything logs."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked for at each line: stderr may be another file by then.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def log_context(**values: object) -> AbstractContextManager[None]:
    """A block in which every line has these values: lines of this task and of the tasks that it starts."""
    return structlog.contextvars.bound_contextvars(**values)
