"""Commands about prices that look like mistakes: list them, accept them, withdraw that."""

import os
import pwd
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import require_source, session

SUSPECTS = (
    "id",
    "source",
    "model",
    "provider",
    "region",
    "plan",
    "meter",
    "tier",
    "price",
    "others",
    "since",
    "reasons",
)
ACCEPTED = (
    "id",
    "source",
    "model",
    "provider",
    "region",
    "plan",
    "meter",
    "tier",
    "price",
    "at",
    "by",
    "why",
    "reasons",
)


def _is_implied(row: Mapping[str, Any], column: str) -> bool:
    """Whether a narrow terminal can do without a column: it has the usual value."""
    return (column, row[column]) in (("region", "*"), ("plan", "standard"), ("tier", 0))


LOOK = output.Look(right=("price", "others"), first=("id", "source", "model", "meter", "price"), implied=_is_implied)

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID…", help="As `etl suspects` shows them.")]

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def listed(
    context: typer.Context,
    *,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    is_accepted: Annotated[bool, typer.Option("--accepted", help="Those that a person accepted instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show prices in force that look like mistakes; accept those that are right.

    They are kept and shown as published: a suspicion is a label. For people prices are per million units, in the
    source's currency; `others` is what the same provider asks elsewhere, or else the other providers of the model.
    docs/changes.md explains the reasons.
    """
    if context.invoked_subcommand:
        return
    from etl.load import acceptance

    with session(context).engine.connect() as connection:
        rows = (acceptance.accepted if is_accepted else acceptance.suspects)(connection, source)
        if source and not rows:
            require_source(session(context), connection, source)
    if as_json:
        output.json_document(rows)
    elif rows:
        output.table([_shown(row) for row in rows], ACCEPTED if is_accepted else SUSPECTS, look=LOOK)
    else:
        output.note("no price was accepted" if is_accepted else "no price in force looks like a mistake")


@app.command()
def accept(
    context: typer.Context,
    ids: IdsArgument,
    *,
    why: Annotated[str, typer.Option(help="Why they are right; kept with your name and the time.")],
) -> None:
    """Accept prices that are right after all: they are no suspects from now on, as long as they stay the same."""
    from etl.load import acceptance

    if not why.strip():
        raise typer.BadParameter("say in a few words why the prices are right", param_hint="--why")
    current = session(context)
    with current.engine.begin() as connection:
        rows = acceptance.accept(connection, ids, by=_user(), why=why.strip(), now=current.pipeline.clock())
    _report(rows, "is accepted")


@app.command()
def withdraw(context: typer.Context, ids: IdsArgument) -> None:
    """Withdraw acceptances: the prices are suspects again. Who accepted them, and when, is kept."""
    from etl.load import acceptance

    current = session(context)
    with current.engine.begin() as connection:
        rows = acceptance.withdraw(connection, ids, by=_user(), now=current.pipeline.clock())
    _report(rows, "is no longer accepted")


def _report(rows: Sequence[Mapping[str, Any]], what: str) -> None:
    for row in rows:
        typer.echo(f"{row['suspect_id']} {what}: {row['source']}, {row['model_id']}, {row['provider']}, {row['meter']}")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row for people: short names, prices per million units with their currency."""
    others = row.get("others_per_million")
    return {
        "id": row["suspect_id"],
        "model": row["model_id"],
        "tier": row["tier_start"],
        "since": row["valid_from"],
        **{name: row[name] for name in ("source", "provider", "region", "plan", "meter")},
        "price": f"{row['per_million']:f} {row['currency']}",
        "others": None if others is None else f"{others:f} {row['currency']}",
        "reasons": ", ".join(row["reasons"]),
        "at": row.get("accepted_at"),
        "by": row.get("accepted_by"),
        "why": row.get("why"),
    }


def _user() -> str:
    """Return the name of the person at the operating system, or the number of one without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
