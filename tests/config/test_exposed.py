"""No secret stands in the file: the line says which variable takes it, and does not repeat it."""

import pytest

from tests.config.writing import fault, settings

BELONGS = "a secret does not belong in a file: "

DATABASE = f"etl.toml: database_url: {BELONGS}set DATABASE_URL, or DATABASE_URL_FILE to a file that holds the whole url"


@pytest.mark.parametrize(
    "url",
    [
        "postgres://me:planted@host/db",
        "postgres://me:pla%40planted@host/db",
        "postgres://me:planted/with?signs@host/db",
        "postgres://host/db?user=me&password=planted",
        "me:planted@host//me:planted@host",
    ],
)
def test_the_password_of_the_database_is_refused(url: str) -> None:
    assert fault(f'database_url = "{url}"') == DATABASE
    assert fault(f'DATABASE_URL = "{url}"') == DATABASE.replace("database_url", "DATABASE_URL")


@pytest.mark.parametrize("key", ["url", "path"])
@pytest.mark.parametrize("tail", ["?api_key=planted", "?a=b&token=planted", "?X-Signature=planted"])
def test_a_token_of_a_source_is_refused(key: str, tail: str) -> None:
    begin = "https://host/x" if key == "url" else "/v1/models"
    assert fault(f"[sources.eu-1]\nkind = 'bifrost'\n{key} = '{begin}{tail}'") == (
        f"etl.toml: sources.eu-1.{key}: {BELONGS}set ETL_EU_1_URL, or ETL_EU_1_URL_FILE to a file that holds the "
        "whole url"
    )


@pytest.mark.parametrize("url", ["https://me:planted@host", "https://planted@host/x", "//me:planted@host"])
def test_the_user_info_of_a_source_is_refused(url: str) -> None:
    said = fault(f"[sources.bifrost]\nurl = '{url}'")
    assert said.startswith(f"etl.toml: sources.bifrost.url: {BELONGS}set ETL_BIFROST_URL, or ETL_BIFROST_URL_FILE")
    assert "planted" not in said


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/planted",
        "https://HOOKS.slack.com/services/T0/B0/planted",
        "https://me.webhook.office.com/planted",
        "https://host/hook?token=planted",
        "https://host/hook?x=planted",
        "https://me:planted@host/hook",
    ],
)
def test_the_url_of_a_webhook_that_is_a_secret_is_refused(url: str) -> None:
    toml = f"[[alerts.webhooks]]\nname = 'a'\nurl = 'http://fine'\n[[alerts.webhooks]]\nname = 'b'\nurl = '{url}'"
    said = fault(toml)
    assert said.startswith(f"etl.toml: alerts.webhooks.2.url: {BELONGS}write url_env, the name of the variable that")
    assert "planted" not in said


def test_what_is_no_secret_may_stand_there() -> None:
    settings('database_url = "postgres://me@host:5432/db?application_name=prices"')
    settings("[sources.bifrost]\nurl = 'https://host:8080/base?region=eu'\npath = '/v1/models?limit=10'")
    settings("[[alerts.webhooks]]\nname = 'a'\nurl = 'https://host/hook'")


@pytest.mark.parametrize(
    "toml", ["sources = 1", "sources.x = 1", "alerts = []", "alerts.webhooks = 'x'", "database_url=1"]
)
def test_what_has_another_shape_is_left_to_the_rest(toml: str) -> None:
    assert "secret" not in fault(toml)
