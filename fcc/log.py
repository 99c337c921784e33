"""loguru, set up once: sink, level, request id; the standard library's loggers are let in."""

import logging
import sys
from typing import TYPE_CHECKING

from loguru import logger
from typing_extensions import override

if TYPE_CHECKING:
    from loguru import Record

__all__ = ["set_up"]


def set_up(level: str) -> None:
    """Log to stderr from `level` (debug, info, warning, error) on.

    `diagnose` stays off: it prints the values of variables, and those are prompts and keys.
    """
    logger.remove()
    logger.add(sys.stderr, level=level.upper(), format=_format, diagnose=False, backtrace=False)
    logging.basicConfig(handlers=[_Forwarding()], level=logging.WARNING, force=True)


def _format(record: "Record") -> str:
    request_id = " {extra[request_id]}" if "request_id" in record["extra"] else ""
    return (
        "<green>{time:YYYY-MM-DD HH:mm:ss}</green> <level>{level: <7}</level>"
        + request_id
        + " {message}\n{exception}"
    )


class _Forwarding(logging.Handler):
    """What the libraries log goes where everything goes."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(exception=record.exc_info, depth=6).log(record.levelno, record.getMessage())
