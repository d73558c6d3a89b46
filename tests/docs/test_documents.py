"""What a reader is told to do can be done, and what a document points to is there."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from sqlalchemy import Engine, text

from etl import config
from etl.cli.app import app
from tests.docs.asking import answer
from tests.docs.markdown import DOCUMENTS, ROOT, anchors, blocks, cells, commands, links

README = ROOT / "README.md"
NAMES = {document: document.name for document in DOCUMENTS}
COMMANDS = sorted({command for document in DOCUMENTS for command in commands(document)})
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
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
    found: Any = typer.main.get_command(app)
    words = iter(shlex.split(command)[1:])
    for word in words:
        if found.context_settings.get("ignore_unknown_options"):
            return  # What follows is for another program.
        options = {name: parameter for parameter in found.params for name in parameter.opts}
        if word.startswith("-"):
            assert word in options, f"{command}: no option {word}"
            if not options[word].is_flag:
                next(words)
        elif word in getattr(found, "commands", {}):
            found = found.commands[word]
        else:
            takes = [parameter for parameter in found.params if parameter.param_type_name == "argument"]
            assert takes, f"{command}: what is {word}?"
    assert not getattr(found, "no_args_is_help", False), f"{command}: which one?"


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


def test_the_containers_are_a_database_a_migration_and_a_run() -> None:
    services = COMPOSE["services"]
    assert services.keys() == {"postgres", "migrate", "etl"}
    assert services["postgres"]["image"] == "postgres:18"
    assert services["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    [volume] = services["postgres"]["volumes"]
    assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["etl"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_image_copies_what_is_there_and_does_not_run_as_root() -> None:
    lines = COMPOSE["services"]["etl"]["build"]["dockerfile_inline"].splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert [line for line in lines if line.startswith("USER ")] == ["USER etl"]


def test_the_makefile_lists_its_targets_by_default() -> None:
    explained = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert {"help", "install", "demo", "test", "test-slow", "check", "bench", "clean"} <= explained
    assert ".DEFAULT_GOAL := help\n" in MAKEFILE


def test_the_constraints_pin_every_dependency_and_name_no_host() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.match(r"[a-z0-9-]+==\S+( ; .*)?$", line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    assert names <= {line.partition("==")[0] for line in lines}
