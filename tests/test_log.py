"""loguru, set up once."""

import logging

import pytest
from loguru import logger

from fcc import log


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    logger.remove()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def test_messages_from_the_level_on_go_to_stderr_with_their_request(capsys) -> None:
    log.set_up("info")
    logger.debug("not this")
    logger.info("but {} and {braces}", "this", braces="{}")
    with logger.contextualize(request_id="req_1"):
        logger.warning("in a request")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 2
    assert "INFO    but this and {}" in lines[0]
    assert "WARNING req_1 in a request" in lines[1]


def test_a_traceback_shows_no_values(capsys) -> None:
    log.set_up("debug")
    secret = "sk-" + "x" * 20
    try:
        len(secret) / 0
    except ZeroDivisionError:
        logger.exception("failed")
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "x" * 20 not in err


def test_what_libraries_log_goes_where_everything_goes(capsys) -> None:
    log.set_up("info")
    logging.getLogger("a.library").info("too quiet")
    logging.getLogger("a.library").warning("100%% of {braces} <red>%s", "kept")
    try:
        {}["gone"]
    except KeyError:
        logging.getLogger("a.library").exception("with a traceback")
    err = capsys.readouterr().err
    assert "too quiet" not in err
    assert "100% of {braces} <red>kept" in err
    assert "KeyError: 'gone'" in err


def test_a_librarys_own_level_is_logged_too(capsys) -> None:
    log.set_up("info")
    logging.getLogger("a.library").log(35, "at thirty-five")
    assert "at thirty-five" in capsys.readouterr().err


def test_setting_up_again_logs_once(capsys) -> None:
    log.set_up("info")
    log.set_up("error")
    logger.info("no")
    logger.error("yes")
    assert len(capsys.readouterr().err.splitlines()) == 1
