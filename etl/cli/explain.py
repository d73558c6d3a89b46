"""The command that leads from a price to the text that it was read from."""

from typing import Annotated

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import moment, session


def explain(  # noqa: PLR0913  an option for each part of a price's key
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Name of the source.")],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Id of the model, as the source spells it.")],
    *,
    provider: Annotated[str | None, typer.Option(help="Only the prices of this provider.")] = None,
    region: Annotated[str | None, typer.Option(help="Only the prices of this region.")] = None,
    plan: Annotated[str | None, typer.Option(help="Only the prices of this plan.")] = None,
    meter: Annotated[str | None, typer.Option(help="Only this meter, like input_token.")] = None,
    tier: Annotated[int | None, typer.Option(help="Only the tier that starts with so many prompt tokens.")] = None,
    at: Annotated[str | None, typer.Option(help="Moment at which the prices hold, ISO 8601; default: now.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show where a model's prices come from: snapshot, page, the very text, and how the price follows from it."""
    from etl.cli.explaining import block, document, explanations

    time = None if at is None else moment("--at", at)
    wanted = {"provider": provider, "region": region, "plan": plan, "meter": meter, "tier_start": tier}
    found = explanations(session(context), source, model, wanted, time)
    if as_json:
        output.json_document([document(each) for each in found])
    else:
        output.lines(*"\n\n".join("\n".join(block(each)) for each in found).split("\n"))
    if any(each.problem for each in found):
        output.note(
            f"etl: not all of it follows from the landed text: `etl verify {source}` compares the whole history"
        )
        raise typer.Exit(1)
