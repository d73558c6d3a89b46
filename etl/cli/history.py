"""The command that shows what a model cost, at every gateway and since when."""

from typing import Annotated

import typer

from etl.cli.pull import JsonOption
from etl.cli.session import session


def history(
    context: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="An id as a source spells it, maker/name (openai/gpt-4o), or the name (gpt-4o)."
        ),
    ],
    *,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    meter: Annotated[
        list[str] | None,
        typer.Option(help="Only this meter, like cache_read_token; may be repeated; `all` for every one."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the versions of one model's prices, at all gateways, with a small chart of each.

    Ids that different gateways have for one model are taken together. For people prices are per million units where one
    is too small to read; they are those of input_token and output_token unless --meter asks for others. With --json it
    is every meter, per unit, with all columns of mart.price_history.

    Charts have one scale for each meter, from zero: the lowest block is free, the highest the dearest price that is
    shown, ~ a price that varies, a blank no price.
    """
    from etl.cli.telling import tell

    tell(session(context), model, source=source, meters=meter or [], as_json=as_json)
