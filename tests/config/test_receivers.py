"""Who is told: each webhook with its url from a file, a variable or a secret file; what is wrong is one line."""

from pathlib import Path

import pytest

from etl import config
from etl.config import Receiver
from tests.config.writing import fault, settings

HOOK = "[[alerts.webhooks]]\nname = 'a'\n"

WATCH = "[[alerts.price_changes]]\nname = 'w'\n"

PLANTED = "https://hooks.slack.com/services/T0/B0/planted"


def receivers(toml: str = "", **environ: str) -> tuple[Receiver, ...]:
    return config.receivers(settings(toml), environ)


def test_nobody_need_be_told() -> None:
    assert receivers() == ()
    assert config.ping_url(settings(), {}) is None


def test_a_url_comes_from_the_file_a_variable_or_a_secret_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{PLANTED}\n")
    assert receivers(HOOK + "url = 'http://x/y'") == (Receiver("a", "http://x/y", "json"),)
    slack = "format = 'slack'\n"
    assert receivers(HOOK + slack + "url_env = 'HOOK'", HOOK=PLANTED) == (Receiver("a", PLANTED, "slack"),)
    assert receivers(HOOK + "url_env = 'HOOK'", HOOK_FILE=str(secret)) == (Receiver("a", PLANTED, "json"),)
    assert receivers(HOOK + f"url_file = '{secret}'") == (Receiver("a", PLANTED, "json"),)


def test_two_variables_each_add_one_behind_those_of_the_file() -> None:
    found = receivers(HOOK + "url = 'http://x'", ETL_WEBHOOK_URL="http://y", ETL_SLACK_URL=PLANTED)
    assert [(each.name, each.format) for each in found] == [("a", "json"), ("webhook", "json"), ("slack", "slack")]


def test_the_url_is_not_in_the_representation() -> None:
    assert "planted" not in repr(receivers(ETL_SLACK_URL=PLANTED))


def test_the_url_of_the_ping_comes_from_its_variable_or_another(tmp_path: Path) -> None:
    assert config.ping_url(settings(), {"ETL_PING_URL": "http://ping"}) == "http://ping"
    (tmp_path / "secret").write_text("http://ping/of/file")
    assert config.ping_url(settings(), {"ETL_PING_URL_FILE": str(tmp_path / "secret")}) == "http://ping/of/file"
    assert config.ping_url(settings("[alerts]\nping_env = 'OTHER'"), {"OTHER": "http://other"}) == "http://other"


def test_a_price_watch_may_name_whom_a_variable_adds() -> None:
    assert receivers(WATCH + "webhooks = ['slack']", ETL_SLACK_URL=PLANTED)


@pytest.mark.parametrize(
    ("toml", "environ", "line"),
    [
        (HOOK, {}, "etl.toml: alerts.webhooks.1: Nothing says where to post: give it one of url, url_env, url_file"),
        (HOOK + "url = 'http://x'\nurl_env = 'X'", {}, "etl.toml: alerts.webhooks.1: url and url_env exclude each"),
        (HOOK + "url = 'x'", {}, "etl.toml: alerts.webhooks.1.url: That is no url: write it like https://host/path"),
        (HOOK + "url_env = 'X'", {}, "etl.toml: alerts.webhooks.1.url_env: X is not set: set it, or X_FILE to a file"),
        (HOOK + "url_env = 'X'", {"X": "planted"}, "environment: X: that is no url: write it like https://host/path"),
        (HOOK + f"url_env = '{PLANTED}'", {}, "etl.toml: alerts.webhooks.1.url_env: Write the name of an environment"),
        (HOOK + "url_file = 'none'", {}, "etl.toml: alerts.webhooks.1.url_file: none cannot be read: No such file"),
        (HOOK + "url_file = 'empty'", {}, "etl.toml: alerts.webhooks.1.url_file: empty is empty: write the secret"),
        (HOOK + "url = 'http://x'\n" + HOOK + "url = 'http://y'", {}, "etl.toml: alerts.webhooks: numbers 1 and 2 are"),
        (WATCH + WATCH, {}, "etl.toml: alerts.price_changes: numbers 1 and 2 are both called w: rename one of them"),
        (WATCH + "webhooks = ['a']", {}, "etl.toml: alerts.price_changes.1.webhooks: no webhook a; there is none yet"),
        (
            WATCH + "webhooks = ['op']\n" + HOOK.replace("'a'", "'ops'") + "url = 'http://x'",
            {},
            "etl.toml: alerts.price_changes.1.webhooks: no webhook op; did you mean ops?",
        ),
        ("", {"ETL_SLACK_URL": "planted"}, "environment: ETL_SLACK_URL: that is no url: write it like https://host"),
        ("", {"ETL_SLACK_URL": PLANTED, "ETL_SLACK_URL_FILE": "empty"}, "environment: ETL_SLACK_URL and ETL_SLACK_URL"),
        ("", {"ETL_SLACK_URL_FILE": "."}, "environment: ETL_SLACK_URL_FILE: . cannot be read: Is a directory"),
        ("", {"ETL_WEBHOOK_URL_FILE": "empty"}, "environment: ETL_WEBHOOK_URL_FILE: empty is empty: write the secret"),
        ("", {"ETL_WEBHOOK_URL_FILE": "bytes"}, "environment: ETL_WEBHOOK_URL_FILE: bytes holds no text: write the"),
        (
            HOOK.replace("'a'", "'slack'") + "url = 'http://x'",
            {"ETL_SLACK_URL": PLANTED},
            "environment: ETL_SLACK_URL adds a webhook slack, and the file has one: rename it",
        ),
        ("", {"ETL_PING_URL": "planted"}, "environment: ETL_PING_URL: that is no url: write it like https://host"),
        ("[alerts]\nping_env = 'OTHER'", {}, "etl.toml: alerts.ping_env: OTHER is not set: set it, or OTHER_FILE"),
    ],
)
def test_what_is_wrong_is_one_line_that_repeats_no_secret(
    tmp_path: Path, toml: str, environ: dict[str, str], line: str
) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    said = fault(toml, **environ)
    assert said.startswith(line)
    assert "planted" not in said
