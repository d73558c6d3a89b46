"""``etl export``: the history as files that other engines read."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import clock, require_source, session
from etl.errors import ConfigurationError

if TYPE_CHECKING:
    from etl.cli.invocation import Session
    from etl.lake.export import Task
    from etl.lake.run import Exported

CATALOG = "CATALOG_DATABASE_URL"

COLUMNS = ("table", "rows", "files", "bytes")


class Format(StrEnum):
    """What an export is written as."""

    PARQUET = "parquet"
    ICEBERG = "iceberg"


def export(
    context: typer.Context,
    *,
    place: Annotated[
        str, typer.Option("-o", "--output", metavar="DIR", help="Folder, or a URL such as s3://bucket/prices.")
    ] = "export",
    format: Annotated[  # noqa: A002  the option's name
        Format, typer.Option(help="parquet (folders of files with a manifest) or iceberg (tables with snapshots).")
    ] = Format.PARQUET,
    sources: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated. Default: all.")
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help=f"Postgres for the Iceberg catalog, or {CATALOG}; default: an SQLite file in DIR."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the history as an open dataset: Parquet files or Iceberg tables.

    All of it is of one moment, and readers see the former export until the new one is whole. Exporting again writes
    only the files that differ.
    """
    current = session(context)
    address = _catalog(current, catalog, format)
    task = _task(place, format, tuple(sorted(set(sources or ()))), address)
    from etl.lake.run import run

    engine = current.engine
    with engine.connect() as connection:
        for name in task.sources or ():
            require_source(current, connection, name)
    with output.counting("exporting") as progress:
        done = run(engine, task, progress)
    _show(task, done, as_json=as_json)


def _task(place: str, kind: Format, sources: tuple[str, ...], catalog: str | None) -> "Task":
    """What is to be done. Raises ``ConfigurationError``, also when what it takes is not installed."""
    try:
        import pyarrow  # noqa: F401, ICN001

        if kind is Format.ICEBERG:
            import pyiceberg.catalog.sql  # noqa: F401
    except ImportError as error:
        how = "install it by pip install 'llm-price-warehouse[lake]'"
        name = (error.name or "pyarrow").partition(".")[0]
        raise ConfigurationError(f"etl export needs {name}, which is not installed: {how}") from None
    from etl.lake.export import Task
    from etl.lake.place import Place

    if not place:
        raise ConfigurationError("--output is empty: name a folder or a URL")
    return Task(place=Place.at(place), kind=kind.value, now=clock(), sources=sources or None, catalog=catalog)


def _catalog(current: "Session", given: str | None, kind: Format) -> str | None:
    """The database of the Iceberg catalog. Raises ``ConfigurationError``."""
    from etl.config.secrets import lookup

    named = lookup(current.environ, CATALOG)
    if given and named:
        raise ConfigurationError(f"--catalog is given and {CATALOG} is set: take one of them out")
    if given and kind is not Format.ICEBERG:
        raise ConfigurationError("--catalog is for Iceberg tables: add --format iceberg")
    return (given or named) if kind is Format.ICEBERG else None


def _show(task: "Task", done: "Exported", *, as_json: bool) -> None:
    tables = done.manifest.tables
    rows: list[dict[str, Any]] = [
        {"table": each.name, "rows": each.rows, "files": len(each.files), "bytes": each.bytes} for each in tables
    ]
    if as_json:
        output.json_document({"place": task.place.shown, "format": task.kind, "written": done.written, "tables": rows})
    else:
        output.table(rows, COLUMNS)
    files, size = (sum(each[name] for each in rows) for name in ("files", "bytes"))
    output.note(f"{task.place.shown}: {files} files, {size} bytes, {done.written} of them written now")
