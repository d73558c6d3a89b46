"""Whether a command, or a variable of the environment, is one of ours."""

import re
import shlex
from itertools import takewhile
from typing import Any

import typer

from etl.cli.app import app
from etl.config import AlertSettings, Settings
from etl.sources.registry import kinds

RECEIVERS = {"ETL_SLACK_URL", "ETL_WEBHOOK_URL", AlertSettings().ping_env}
"""Variables that hold the urls of those who are told; whoever knows such a url can post, so they are secrets."""


def check_command(command: str) -> None:
    """Fail unless ``etl …`` is there, with these options and with place for these arguments."""
    found: Any = typer.main.get_command(app)
    words = takewhile(lambda word: word not in (">", ">>", "|"), iter(shlex.split(command)[1:]))
    for word in words:
        if found.context_settings.get("ignore_unknown_options"):
            return  # What follows is for another program.
        options = {name: parameter for parameter in found.params for name in parameter.opts}
        if word == "--help":
            return
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


def secrets() -> set[str]:
    """The variables that hold secrets; each may also end with ``_FILE`` and name a file."""
    credentials = {credential.env for kind in kinds().values() if (credential := kind.credential) is not None}
    return {"DATABASE_URL"} | credentials | RECEIVERS


def variables() -> set[str]:
    """Every variable that the program reads."""
    fields = Settings.model_fields.items()
    settings = {str(field.validation_alias or f"ETL_{name.upper()}") for name, field in fields}
    urls = {f"ETL_{re.sub(r'[^A-Z0-9]', '_', kind.upper())}_URL" for kind in kinds()}
    return settings | urls | secrets() | {f"{secret}_FILE" for secret in secrets()}
