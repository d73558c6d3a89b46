"""The command that plays the bundled story and shows what came of it."""

import typer

from etl.cli.pull import JsonOption
from etl.cli.session import session


def demo(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Play dated sample catalogs: no network, no keys.

    Gateways of all five kinds on loopback are pulled and loaded like real ones; then some questions are asked in SQL.
    """
    from etl.cli.playing import play

    play(session(context), as_json=as_json)
