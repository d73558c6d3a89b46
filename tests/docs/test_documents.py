"""What a reader is told to do can be done, and what a document points to is there."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from etl import config
from tests.docs.asking import answer
from tests.docs.markdown import DOCUMENTS, ROOT, anchors, blocks, cells, commands, links
from tests.docs.usage import check_command

README = ROOT / "README.md"
NAMES = {document: document.name for document in DOCUMENTS}
COMMANDS = sorted({command for document in DOCUMENTS for command in commands(document)})
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_readme_begins_with_the_two_commands() -> None:
    assert blocks(README)[:2] == [("sh", "make demo\n"), ("sh", "make test\n")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES.get)
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    for link in links(document):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), link
        assert not anchor or anchor in anchors(found), link


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_shown_exists_with_its_options(command: str) -> None:
    check_command(command)


def test_the_queries_of_the_readme_give_the_answers_beside_them(demo: Engine) -> None:
    queries, answers = blocks(README, "sql"), blocks(README, "text")
    assert len(queries) == len(answers) == 2
    for query, expected in zip(queries, answers, strict=True):
        with demo.connect() as connection:
            assert answer(connection, query.code) == cells(expected.code)


def test_the_configuration_of_the_readme_is_accepted(tmp_path: Path) -> None:
    [block] = blocks(README, "toml")
    file = tmp_path / "etl.toml"
    file.write_text(block.code, encoding="utf-8")
    sources = config.configured(config.load(file), {})
    assert sources["bifrost_staging"].kind == "bifrost"
    assert sources["bifrost_staging"].credential == "BIFROST_STAGING_KEY"
    assert sources["bifrost"].is_enabled


def test_the_views_of_the_readme_are_in_the_mart(engine: Engine) -> None:
    named = {name.partition("(")[0] for name in re.findall(r"`mart\.([^`]*)`", README.read_text(encoding="utf-8"))}
    objects = "SELECT relname FROM pg_class WHERE relnamespace = 'mart'::regnamespace"
    functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'mart'::regnamespace"
    with engine.connect() as connection:
        assert named <= set(connection.scalars(text(f"{objects} UNION {functions}")))


def test_the_tree_in_the_architecture_names_only_what_is_there() -> None:
    document = ROOT / "docs" / "architecture.md"
    [tree] = [block.code for block in blocks(document, "text") if block.code.startswith("etl/\n")]
    there = {path.name for folder in ("etl", "migrations") for path in (ROOT / folder).rglob("*.*")}
    assert set(re.findall(r"\w+\.(?:py|toml)", tree)) <= there


def test_the_changelog_has_a_section_for_what_is_not_released() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_makefile_lists_its_targets_by_default() -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert {"help", "install", "demo", "test", "test-slow", "check", "bench", "clean"} <= explained
    assert ".DEFAULT_GOAL := help\n" in MAKEFILE


def test_the_constraints_pin_every_dependency_and_name_no_host() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.match(r"[a-z0-9-]+==\S+( ; .*)?$", line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    assert names <= {line.partition("==")[0] for line in lines}


@pytest.mark.parametrize("name", ["base", "dev", "slow"])
def test_what_is_installed_is_pinned_as_in_the_constraints_and_has_hashes_and_names_no_host(name: str) -> None:
    content = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in content
    assert "--" not in content.replace("--hash=sha256:", "")
    found = re.findall(r"^([a-z0-9-]+)==(\S+)(.*(?:\n    --hash=\S+.*)+)$", content, re.MULTILINE)
    assert len(found) == len(re.findall("^[a-z]", content, re.MULTILINE))
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    assert {each: version for each, version, _ in found if pins.get(each, version) != version} == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {"base": [], "dev": ["dev"], "slow": ["dev", "spark", "browser"]}[name]
    wanted = [*project["dependencies"], *itertools.chain(*(project["optional-dependencies"][each] for each in extras))]
    assert {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted} <= {each for each, *_ in found}
