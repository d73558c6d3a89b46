"""The command that proves history from the landed bytes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import session
from etl.errors import ConfigurationError, ContractError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from etl.load.comparing import Verdict
    from etl.pipeline import Pipeline
    from etl.sources.base import Source

COLUMNS = ("source", "snapshots", "verdict", "models", "endpoints", "prices", "only_live", "only_rebuilt")


def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Sources; default: all.")] = None,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Believe the rebuilt history from now on.")] = False,
    against: Annotated[
        str | None, typer.Option(metavar="SCHEMA", help="Compare with what `etl rebuild` put there; read nothing anew.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild history from the landed bytes beside the live one and report any difference."""
    if apply and against:
        raise ConfigurationError(
            "--apply and --against exclude each other: what is believed is rebuilt by this command"
        )
    pipeline = session(context).pipeline
    known = pipeline.known_sources()
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ConfigurationError(f"nothing was ever landed of {unknown[0]}; there is: {', '.join(known) or 'nothing'}")
    asked = list(dict.fromkeys(names or known))
    if against:
        owner = session(context).owner_engine
        verdicts = [_compare(owner, name, against) for name in asked]
    else:
        found = (_verify(pipeline, known[name], is_applied=apply) for name in asked)
        verdicts = [verdict for verdict in found if verdict is not None]
    if as_json:
        output.json_document([_row(verdict) | _details(verdict) for verdict in verdicts])
    else:
        output.table(map(_row, verdicts), COLUMNS)
        for verdict in verdicts:
            _explain(verdict)
    is_refused = len(verdicts) < len(asked)
    if is_refused or any(verdict.unreadable or not (apply or verdict.agrees) for verdict in verdicts):
        raise typer.Exit(1)


def _verify(pipeline: "Pipeline", source: "Source[Any]", *, is_applied: bool) -> "Verdict | None":
    """One source, with a bar on stderr when that is a terminal; null when its history must not be corrected now."""
    from rich.progress import Progress

    console = output.stderr()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(source.name, total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        try:
            return pipeline.verify(source, is_applied=is_applied, progress=progress)
        except ContractError as error:
            output.note(f"etl: {source.name}: nothing was corrected: {error}")
            return None


def _compare(owner: "Engine", name: str, schema: str) -> "Verdict":
    """One source with what was rebuilt of it elsewhere."""
    from etl.load import against as rebuilt_elsewhere

    with owner.connect() as connection:
        return rebuilt_elsewhere.verify(connection, name, schema)


def _row(verdict: "Verdict") -> dict[str, Any]:
    return {
        "source": verdict.source,
        "snapshots": verdict.snapshots,
        "verdict": _word(verdict),
        "models": verdict.rows["model"],
        "endpoints": verdict.rows["endpoint"],
        "prices": verdict.rows["price"],
        "only_live": sum(difference.only_live for difference in verdict.differences),
        "only_rebuilt": sum(difference.only_rebuilt for difference in verdict.differences),
    }


def _word(verdict: "Verdict") -> str:
    if verdict.agrees:
        return "agrees"
    return "corrected" if verdict.applied else "differs"


def _details(verdict: "Verdict") -> dict[str, Any]:
    return {
        "unreadable": verdict.unreadable,
        "readable_now": verdict.readable_now,
        "differences": [
            {"table": each.table, "only_live": each.only_live, "only_rebuilt": each.only_rebuilt}
            | {"examples": each.examples}
            for each in verdict.differences
        ],
    }


def _explain(verdict: "Verdict") -> None:
    """Name on stderr what differs, the first rows of each table with it."""
    for line in verdict.unreadable:
        output.note(f"etl: {verdict.source}: {line}")
    for number in verdict.readable_now:
        output.note(f"etl: {verdict.source}: snapshot {number} failed when it came and can be read now")
    for each in verdict.differences:
        counts = f"{each.only_live} rows only in the live table, {each.only_rebuilt} only in the rebuilt one"
        output.note(f"etl: {verdict.source}: {each.table}: {counts}")
        for example in each.examples:
            shown = ", ".join(f"{name}={output.cell(value)}" for name, value in example.items() if value is not None)
            output.note(f"  {shown}")
