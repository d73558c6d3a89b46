"""The document and the example are what the settings say, and both can be relied on."""

import re
import tomllib
from pathlib import Path

import pytest

from etl import config
from etl.config import layout, reference, spelling

ROOT = Path(__file__).parents[2]

UNCOMMENTED = re.sub("^# ?", "", reference.example(), flags=re.MULTILINE)

KEYS = [(section, key) for section in layout.sections() for key in section.keys]


def test_the_committed_document_is_that_of_the_settings() -> None:
    is_current = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == reference.document()
    assert is_current, "run `.venv/bin/python -m etl.config.reference > docs/configuration.md`"


def test_the_committed_example_is_that_of_the_settings() -> None:
    is_current = (ROOT / "etl.example.toml").read_text(encoding="utf-8") == reference.example()
    assert is_current, "run `.venv/bin/python -m etl.config.reference --example > etl.example.toml`"


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_every_key_is_described_and_has_a_default_or_an_example(section: layout.Section, key: str) -> None:
    field = section.model.model_fields[key]
    assert (field.description or "").endswith(".")
    assert spelling.value_of(field) is not None, f"{section.heading}{key}: give it examples=[…]"
    assert f"| `{key}` |" in reference.document()
    assert re.search(rf"^#.*\b{key} = ", reference.example(), re.MULTILINE)


def test_every_table_has_its_place_in_the_document() -> None:
    assert "{{" not in reference.document()
    assert all(f"`{section.heading}`" in reference.document() for section in layout.sections() if section.is_list)


def test_the_example_changes_nothing_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "etl.toml").write_text(reference.example(), encoding="utf-8")
    assert config.load(None) == config.Settings()


def test_the_example_is_accepted_with_every_key_and_says_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "etl.toml").write_text(UNCOMMENTED, encoding="utf-8")
    (tmp_path / "ca.pem").touch()
    found = config.load(None)
    environ = {"BIFROST_EU_KEY": "k", "OPERATORS_URL": "https://x"}
    assert config.configured(found, environ)["bifrost_eu"].is_enabled
    assert [receiver.name for receiver in config.receivers(found, environ)] == ["operators"]
    for section, key in KEYS:
        field = section.model.model_fields[key]
        if not section.path and spelling.has_default(field):
            assert getattr(found, key) == field.default, key
    assert found.alerts.model_copy(update={"webhooks": (), "price_changes": ()}) == config.AlertSettings()


def test_every_key_stands_in_the_uncommented_example_once() -> None:
    written = tomllib.loads(UNCOMMENTED)
    others = {(section.path, key) for section, key in KEYS if key in section.alternatives[1:]}
    for section, key in KEYS:
        table = written
        for step in section.path:
            found = table["bifrost_eu" if step == "NAME" else step]
            table = found[0] if isinstance(found, list) else found
        assert (key in table) != ((section.path, key) in others), key
