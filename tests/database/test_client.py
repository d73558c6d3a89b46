"""What a program of Postgres is given: no secret in its arguments, all of them by its environment."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from etl.concealment import without_url_secrets
from etl.database.client import client_address
from etl.database.engine import database_url, secrets_of, shown
from etl.errors import ConfigurationError

FORMS = {
    "user-info": "postgres://me:planted@host/db",
    "user-info, percent-encoded": "postgres://me:plan%74ed@host/db",
    "query": "postgresql://me@host/db?password=planted&sslmode=require",
    "query, encoded name": "postgresql://me@host/db?pass%77ord=planted",
    "query, upper case": "postgresql://me@host/db?PASSWORD=planted",
    "query, without a user": "postgresql:///db?host=host&password=planted",
    "query, twice": "postgresql://me@host/db?password=planted&password=planted",
    "query, user as well": "postgresql://host/db?user=me&password=planted",
    "both": "postgres://me:planted@host/db?password=planted",
    "passphrase": "postgres://me@host/db?sslpassword=planted&sslkey=/etc/key.pem",
    "client secret": "postgres://me@host/db?oauth_client_secret=planted",
    "options": "postgres://me@host/db?options=-c%20app.api_key%3Dplanted%20-c%20x%3D1",
    "connection string": "postgres://me@host/db?dbname=postgres%3A%2F%2Fme%3Aplanted%40host%2Fdb",
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_in_a_url_is_shown_or_stands_in_arguments(form: str) -> None:
    url = database_url(FORMS[form])
    address, _ = client_address(url, {})
    for text in (shown(url), address, without_url_secrets(f"no database at {FORMS[form]}: gone")):
        assert "planted" not in text
        assert "plan%74ed" not in text


@pytest.mark.parametrize("form", [form for form in FORMS if form != "connection string"])
def test_every_secret_of_a_url_is_known_to_be_one(form: str) -> None:
    assert "planted" in secrets_of(database_url(FORMS[form]))


@pytest.mark.parametrize("form", [form for form in FORMS if "user-info" in form or "query" in form or form == "both"])
def test_the_password_reaches_a_program_by_its_environment(form: str) -> None:
    url = database_url(FORMS[form])
    if "PASSWORD" not in FORMS[form]:
        assert url.password == "planted"
        assert client_address(url, {})[1] == {"PGPASSWORD": "planted"}


def test_what_names_a_secret_and_is_none_stays_in_the_address() -> None:
    plain = "postgresql://me@host/db?passfile=%2Fhome%2F.pgpass&require_auth=md5&service=prices&sslkey=%2Fkey.pem"
    url = database_url(plain)
    assert (shown(url), client_address(url, {"PGPASSWORD": "kept"})) == (plain, (plain, {"PGPASSWORD": "kept"}))


def test_other_secrets_reach_a_program_by_a_service_file_in_memory() -> None:
    address, environment = client_address(database_url(FORMS["passphrase"]), {})
    assert address == "postgresql://me@host/db?service=etl_client&sslkey=%2Fetc%2Fkey.pem"
    assert Path(environment["PGSERVICEFILE"]).read_text() == "[etl_client]\nsslpassword=planted\n"


def test_other_secrets_beside_a_service_belong_into_its_file() -> None:
    url = database_url(f"{FORMS['passphrase']}&service=prices")
    with pytest.raises(ConfigurationError, match="sslpassword of the database's url: write it into a service file"):
        client_address(url, {})


@pytest.mark.parametrize("url", ["postgres://me:plan@ted@host/db", "postgres://me:plan@ted/x@host/db"])
def test_a_password_with_an_at_is_not_taken_for_a_host(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL has a second @: write @ as %40") as raised:
        database_url(url)
    assert "ted" not in str(raised.value)


def test_the_last_of_several_passwords_counts_as_in_libpq() -> None:
    assert database_url("postgres://a:first@host/db?password=second&password=third") == URL.create(
        "postgresql+psycopg", "a", "third", "host", None, "db"
    )
