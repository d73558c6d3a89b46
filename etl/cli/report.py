"""``etl report``: one page of HTML to look at, to send and to print."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.cli import output
from etl.cli.session import clock, moment, require_source, session
from etl.errors import ConfigurationError

STDOUT = "-"


def report(
    context: typer.Context,
    *,
    place: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write the page; - for stdout.")
    ] = "report.html",
    since: Annotated[
        str | None,
        typer.Option(help="First moment, ISO 8601 (UTC unless it says otherwise); default: 90 days back."),
    ] = None,
    sources: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated. Default: all.")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="Only this model, by any of its ids, with * and ?; may be repeated."),
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser as well.")] = False,
) -> None:
    """Write one page of HTML with charts: what changed, price histories, cheapest hosts, health.

    It needs no network and no server: open it in a browser, send it, print it.
    """
    first = None if since is None else _past("--since", since)
    if not all(name.strip() for name in models or ()):
        raise ConfigurationError("--model is empty: write an id, with * for any part of it")
    file = None if place == STDOUT else _file(place)
    if is_opened and file is None:
        raise ConfigurationError("--open needs a file: name one by --output")
    from etl.report.facts import read
    from etl.report.file import write
    from etl.report.page import page
    from etl.report.scope import Asked

    current = session(context)
    engine = current.engine
    with engine.connect() as connection:
        for name in sources or ():
            require_source(current, connection, name)
    facts = read(engine, Asked(now=clock(), since=first, sources=sources or (), models=models or ()))
    text = page(facts)
    if file is None:
        output.text(text)
        return
    size = write(file, text)
    if facts.is_empty:
        output.note("nothing was observed yet: the page says what to do")
    uri = file.resolve().as_uri()
    output.note(f"{file}: {_bytes(size)}; open it in a browser: {uri}")
    if is_opened:
        typer.launch(uri)


def _bytes(size: int) -> str:
    """Return a size with its unit: a page without history has some 90 kB, which are not 0.0 MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"


def _past(option: str, value: str) -> datetime:
    """The moment that an option gives. Raises ``ConfigurationError`` also when it is still to come."""
    found = moment(option, value)
    if found > clock():
        raise ConfigurationError(f"{option} {value} is still to come: nothing was observed since")
    return found


def _file(place: str) -> Path:
    """The file to write. Raises ``ConfigurationError`` before anything is read."""
    if not place or "\0" in place:
        raise ConfigurationError("--output is empty: name a file, or - for stdout")
    file = Path(place)
    if file.is_dir():
        raise ConfigurationError(f"--output {place} is a folder: name a file in it, such as {file / 'report.html'}")
    if file.exists() and not file.is_file():
        raise ConfigurationError(f"--output {place} is no regular file: name one, or - for stdout")
    if not file.parent.is_dir():
        raise ConfigurationError(f"--output {place}: there is no folder {file.parent}; make it first")
    return file
