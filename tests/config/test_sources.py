"""No two sources share a variable or are one catalog; a credential that cannot be read starts nothing."""

from pathlib import Path

import pytest

from tests.config.writing import fault, sources

TWO = "[sources.eu]\nkind = 'bifrost'\nurl = '{}'\n[sources.us]\nkind = 'bifrost'\nurl = '{}'\n"


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("a-b", "a_b"), "etl.toml: sources.a_b: ETL_A_B_URL would be the url of a-b as well: rename it"),
        (("eu", "EU"), "etl.toml: sources.EU: ETL_EU_URL would be the url of eu as well: rename it"),
        (("Phaseo",), "etl.toml: sources.Phaseo: ETL_PHASEO_URL would be the url of phaseo as well: rename it"),
        (("slack",), "etl.toml: sources.slack: ETL_SLACK_URL means something else: rename it"),
        (("ping",), "etl.toml: sources.ping: ETL_PING_URL means something else: rename it"),
        (("database",), "etl.toml: sources.database: ETL_DATABASE_URL means something else: rename it"),
    ],
)
def test_no_two_sources_take_their_url_from_one_variable(names: tuple[str, ...], line: str) -> None:
    toml = "".join(f"[sources.{name}]\nkind = 'bifrost'\nurl = 'http://{n}'\n" for n, name in enumerate(names))
    assert fault(toml) == line


def test_one_catalog_is_not_pulled_twice() -> None:
    line = (
        "etl.toml: sources: sources eu and us have the same kind, url, path and credential: "
        "take one of them out, or set enabled = false in [sources.us]"
    )
    assert fault(TWO.format("http://x", "http://x/")) == line
    assert fault("[sources.again]\nkind = 'helicone_gateway'").startswith(
        "etl.toml: sources: sources helicone_gateway and again have the same kind"
    )


def test_gateways_that_differ_in_url_path_or_credential_are_two() -> None:
    same = TWO.format("http://x", "http://x")
    assert sources(TWO.format("http://x", "http://y"))
    assert sources(same + "path = '/other'")
    assert sources(same + "credential = 'OTHER'", BIFROST_API_KEY="b", OTHER="o")
    assert sources(same, ETL_US_URL="http://y")
    assert sources(same + "enabled = false")


@pytest.mark.parametrize(
    ("toml", "environ", "line"),
    [
        ("", {"PHASEO_API_KEY_FILE": "none"}, "environment: PHASEO_API_KEY_FILE: none cannot be read: No such file"),
        ("", {"PHASEO_API_KEY_FILE": "empty"}, "environment: PHASEO_API_KEY_FILE: empty is empty: write the secret"),
        ("", {"PHASEO_API_KEY": "planted", "PHASEO_API_KEY_FILE": "x"}, "environment: PHASEO_API_KEY and PHASEO_API_"),
        ("[sources.phaseo]\ncredential_file = 'none'", {}, "etl.toml: sources.phaseo.credential_file: none cannot be"),
        ("[sources.phaseo]\ncredential_file = 'empty'", {}, "etl.toml: sources.phaseo.credential_file: empty is emp"),
        ("[sources.phaseo]\ncredential = 'sk-planted'", {}, "etl.toml: sources.phaseo.credential: Write the name of"),
        ("", {"ETL_BIFROST_URL": "me:planted@host"}, "environment: ETL_BIFROST_URL: that is no url: write it like"),
        ("", {"ETL_BIFROST_URL": "http://me:planted@/x"}, "environment: ETL_BIFROST_URL: that is no url: write it"),
        ("", {"ETL_BIFROST_URL": "http://planted/key@host/x"}, "environment: ETL_BIFROST_URL: that is no url: write"),
        ("", {"ETL_BIFROST_URL": "http://planted#key@host/x"}, "environment: ETL_BIFROST_URL: that is no url: write"),
        ("", {"ETL_BIFROST_URL": "http://me:99/planted@host"}, "environment: ETL_BIFROST_URL: that is no url: write"),
        ("", {"ETL_BIFROST_URL_FILE": "none"}, "environment: ETL_BIFROST_URL_FILE: none cannot be read: No such"),
    ],
)
def test_what_is_wrong_with_a_credential_or_a_url_repeats_no_secret(
    tmp_path: Path, toml: str, environ: dict[str, str], line: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    said = fault(toml, **environ)
    assert said.startswith(line)
    assert "planted" not in said
