"""Prints docs/configuration.md, or with ``--example`` etl.example.toml, from the settings classes.

The words around the tables stand in ``reference.md`` beside this module.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from etl.config import layout, spelling
from etl.config.layout import Section
from etl.sources.registry import kinds

_ABOUT_EXAMPLE = """\
## Every key with its default, or an example where it has none. Copy what you need to etl.toml, and take the first # of
## its lines away, also of the heading in brackets above it. Secrets do not belong here: see docs/configuration.md.
## Made by `python -m etl.config.reference --example > etl.example.toml`.
"""

_NAMES = {"sources": "bifrost_eu"}
"""What stands for NAME in the example."""


def document() -> str:
    """The text of docs/configuration.md."""
    text = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    for section in layout.sections():
        text = text.replace(f"{{{{{'.'.join(section.path) or 'top'}}}}}", "\n".join(_table(section)))
    names = ", ".join(f"`{kind}`" for kind in sorted(kinds()))
    return text.replace("{{kinds}}", names).replace("{{credentials}}", "\n".join(_credentials()))


def example() -> str:
    """The text of etl.example.toml: valid as it is, and also with the first ``#`` of each line taken away."""
    parts = [_ABOUT_EXAMPLE, *("\n".join(_example(section)) + "\n" for section in layout.sections())]
    return "\n".join(parts)


def _table(section: Section) -> Iterator[str]:
    """A row for each key; those of entries of a list have no variable of their own."""
    columns = ["key", *([] if section.is_list else ["variable"]), "written as", "default", "meaning"]
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    for key in section.keys:
        field = section.model.model_fields[key]
        variables = [] if section.is_list else [_variable(section, key)]
        cells = [f"`{key}`", *variables, spelling.written(field), _default(field), field.description or ""]
        yield f"| {' | '.join(cells)} |"


def _variable(section: Section, key: str) -> str:
    name = layout.variable([*section.path, key]).replace("__NAME__", "__<NAME>__")
    return f"`{name}`"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if spelling.has_default(field):
        return f"`{spelling.toml(field.default)}`"
    return "unset" if field.default is None else f"`{spelling.toml(spelling.value_of(field))}`"


def _credentials() -> Iterator[str]:
    for kind, source in sorted(kinds().items()):
        if source.credential is not None:
            needed = "which needs one" if source.credential.is_required else "if the gateway wants one"
            yield f"| `{source.credential.env}` | the credential of sources of kind `{kind}`, {needed} |"


def _example(section: Section) -> Iterator[str]:
    name = _NAMES.get(section.path[0]) if section.path else None
    if section.heading:
        yield f"# {section.heading.replace('NAME', name or '')}"
    for key in section.keys:
        field = section.model.model_fields[key]
        line = f"{key} = {spelling.toml(spelling.value_of(field))}"
        meant = field.description or ""
        if key in section.alternatives[1:]:
            yield f"## {meant} Instead of {section.alternatives[0]}: {line}"
        else:
            yield f"## {meant}"
            yield f"# {line}"


if __name__ == "__main__":
    sys.stdout.write(example() if sys.argv[1:] == ["--example"] else document())
