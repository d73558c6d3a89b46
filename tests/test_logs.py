"""What is said to whoever watches: one line for each event, in one of two forms, without secrets."""

import json
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stamina
import structlog
from structlog.contextvars import bound_contextvars

from etl import concealment, log
from etl.concealment import redacted
from tests.listening import silence

PLANTED = "sk-planted-4711-0815"


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    hooks = stamina.instrumentation.get_on_retry_hooks()
    known = concealment.Known.secrets
    yield
    concealment.Known.secrets = known
    stamina.instrumentation.set_on_retry_hooks(hooks)
    structlog.reset_defaults()
    silence()


def _fail(text: str) -> None:
    raise RuntimeError(text)


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Any:
    """The events that were written since, each from a line of JSON."""
    log.configure("json")
    log.narrate()
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_line_of_json_with_its_time_its_level_and_its_facts(events: Any) -> None:
    structlog.get_logger("etl.tests").info("landed", price=Decimal("0.10"), since=datetime(2026, 1, 1, tzinfo=UTC))
    [event] = events()
    assert datetime.fromisoformat(event.pop("timestamp")).utcoffset() == datetime.now(UTC).utcoffset()
    assert event == {
        "level": "info",
        "event": "landed",
        "logger": "etl.tests",
        "price": 0.1,
        "since": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize("fact", [2**80, {1: (b"x", {2})}, float("nan"), "\ud800", object(), ValueError("a\nb"), ...])
def test_whatever_a_fact_is_it_is_written_on_one_line(events: Any, fact: Any) -> None:
    structlog.get_logger("etl.tests").info("odd", fact=fact)
    [event] = events()
    assert "fact" in event


def test_libraries_speak_in_the_same_form_and_only_from_warnings_on(events: Any) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://me:password@host")
    logging.getLogger("apscheduler").warning("run of job %s\nwas missed", 7)
    [event] = events()
    assert (event["event"], event["logger"], event["level"]) == (
        "run of job 7 was missed",
        "apscheduler",
        "warning",
    )


def test_an_exception_is_facts_and_no_lines_below(events: Any) -> None:
    try:
        int("a\nb")
    except ValueError:
        structlog.get_logger("etl.tests").exception("unread")
        logging.getLogger("sqlalchemy").exception("unread")
    ours, theirs = events()
    for event in (ours, theirs):
        assert (event["level"], event["raised"]) == ("error", "ValueError")
        assert "invalid literal" in event["message"]
        assert event["trace"][-1].endswith("test_an_exception_is_facts_and_no_lines_below")


def test_what_is_bound_in_a_thread_is_told_there_and_nowhere_else(events: Any) -> None:
    def work(name: str) -> None:
        with bound_contextvars(source=name, run=7):
            structlog.get_logger("etl.tests").info("ours")
            logging.getLogger("alembic").warning("theirs")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    structlog.get_logger("etl.tests").info("outside")
    told = [(event["event"], event.get("source"), event.get("run")) for event in events()]
    expected = [(event, name, 7) for name in ("a", "b") for event in ("ours", "theirs")]
    assert sorted(told[:4]) == sorted(expected)
    assert told[4] == ("outside", None, None)


def test_people_get_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("human")
    structlog.get_logger("etl.tests").warning("two\nlines", because="x\ny")
    try:
        _fail("a\nb")
    except RuntimeError:
        logging.getLogger("alembic").exception("broken")
    first, second = capsys.readouterr().err.splitlines()
    assert first.partition(" ")[2] == "[warning] two lines because='x y'"
    assert "[error] broken message='a b' raised=RuntimeError" in second


def test_without_a_terminal_it_is_json_unless_people_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    structlog.get_logger("etl.tests").warning("first")
    log.configure("human")
    structlog.get_logger("etl.tests").warning("second")
    first, second = capsys.readouterr().err.splitlines()
    assert (json.loads(first)["event"], second[-16:]) == ("first", "[warning] second")


def test_what_goes_well_is_told_to_those_who_have_no_display(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*, is_narrating: bool, even_to_people: bool = False, form: log.Format = "human") -> str:
        silence()
        log.configure(form)
        if is_narrating:
            log.narrate(even_to_people=even_to_people)
        structlog.get_logger("etl.run").info("run began")
        structlog.get_logger("etl.run").warning("run ended")
        log.configure(form)  # As when the configuration is read again.
        structlog.get_logger("etl.run").info("run began")
        return capsys.readouterr().err

    assert said(is_narrating=False) == ""
    assert said(is_narrating=True) == ""
    assert said(is_narrating=False, form="json") == ""
    assert said(is_narrating=True, form="json").count("\n") == 3
    assert said(is_narrating=True, even_to_people=True).count("\n") == 3


@pytest.mark.parametrize("form", ["human", "json"])
def test_a_secret_is_in_no_event_fact_or_exception(form: log.Format, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(form)
    log.conceal([PLANTED, None, ""])
    logger = structlog.get_logger("etl.tests")
    logger.warning(PLANTED, deep={"list": [f"Bearer {PLANTED}"], PLANTED: 1}, error=OSError(PLANTED))
    logging.getLogger("httpx").warning("GET %s", f"https://host/?key={PLANTED}")
    try:
        _fail(PLANTED)
    except RuntimeError as error:
        logger.exception("broken")
        log.crashed(error)
    said = capsys.readouterr().err
    assert PLANTED not in said
    assert said.count("[secret]") >= 6


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://etl:hidden@db:5432/etl?x=1", "postgresql://[secret]@db:5432/etl?x=1"),
        ("see http://host/a@b and http://a:b@c", "see http://host/a@b and http://[secret]@c"),
        ('{"Authorization": "Bearer abc.def"}', '{"Authorization": "Bearer [secret]"}'),
        ("no database at postgresql://etl:***@db", "no database at postgresql://etl:***@db"),
        ("a token of good hope", "a token of good hope"),
    ],
)
def test_what_stands_where_secrets_stand_is_hidden_although_nobody_knows_it(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_short_secret_does_not_blot_out_words() -> None:
    log.conceal(["etl"])
    assert redacted("etl: settled at postgres://etl:etl@db") == "etl: settled at postgres://[secret]@db"


def test_every_event_of_the_program_is_in_the_document_and_the_other_way_round() -> None:
    root = Path(log.__file__).parents[1]
    table = (root / "docs" / "logs.md").read_text(encoding="utf-8").partition("## The events")[2].partition("\n## ")[0]
    told = {event for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for event in re.findall(r"`(.+?)`", row)}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (root / "etl").rglob("*.py"))
    assert {event for event in told if f'"{event}' not in code} == set()
    said = r"""(?:get_logger\([^)]*\)|_log\(\)|log)\.(?:info|warning|error|critical)\(\s*"([^"]+)"|_tell\("([^"]+)\""""
    events = {first or second for first, second in re.findall(said, code)}
    assert {event.partition(":")[0] for event in events} <= told
