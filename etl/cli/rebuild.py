"""The command that rebuilds history with an engine that is larger than one machine."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli import output
from etl.cli.pull import JsonOption
from etl.cli.session import session
from etl.errors import ConfigurationError

if TYPE_CHECKING:
    from etl.cli.invocation import Session
    from etl.spark.bodies import Bodies
    from etl.spark.plan import Plan
    from etl.spark.rebuild import Rebuilt

ENGINES = ("spark",)

COLUMNS = ("source", "snapshots", "models", "endpoints", "prices", "unreadable")


def rebuild(  # noqa: PLR0913  each is an option
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Sources; default: all.")] = None,
    *,
    to: Annotated[str, typer.Option("--output", "-o", metavar="DIR", help="New folder or URL for the Parquet files.")],
    engine: Annotated[str, typer.Option(help="What rebuilds; there is spark.")] = "spark",
    into: Annotated[str | None, typer.Option(metavar="SCHEMA", help="Also put it there, for `etl verify`.")] = None,
    archive: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Read an archive instead of the warehouse.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild history from the landed bytes with Spark: as Parquet files, and beside the live one."""
    if engine not in ENGINES:
        raise ConfigurationError(f"there is no engine {engine}: write --engine {' or '.join(ENGINES)}")
    # What starts here alone takes long to import, and is not there at all without the extra.
    from etl.load import rebuilt
    from etl.spark.rebuild import Target
    from etl.spark.rebuild import rebuild as rebuild_with_spark
    from etl.spark.session import require_spark, spark_session

    require_spark()
    current = session(context)
    plan, bodies = _from_warehouse(current, names) if archive is None else _from_archive(archive, names)
    target = Target(output=_absolute(to), schema=into, engine=current.owner_engine if into else None)
    if into is not None:
        with current.owner_engine.begin() as connection:
            rebuilt.require_ours(connection, into)
    settings = current.settings.spark
    with (
        output.working("Spark rebuilds"),
        spark_session(settings.master, settings.conf or {}) as spark,
    ):
        found = rebuild_with_spark(spark, plan, bodies, target)
    _print(found, as_json=as_json)


def _from_warehouse(current: "Session", names: Iterable[str] | None) -> "tuple[Plan, Bodies]":
    from etl.spark import plan
    from etl.spark.bodies import Warehouse

    known = current.pipeline.known_sources()
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ConfigurationError(f"nothing was ever landed of {unknown[0]}; there is: {', '.join(known) or 'nothing'}")
    url = current.engine.url.render_as_string(hide_password=False)
    asked = dict.fromkeys(names or known)
    return plan.from_warehouse(current.engine, asked), Warehouse(url, current.settings.archive)


def _from_archive(folder: Path, names: Iterable[str] | None) -> "tuple[Plan, Bodies]":
    from etl.load import manifest
    from etl.spark import plan
    from etl.spark.bodies import Archive

    folder = folder.expanduser().absolute()
    if not manifest.is_archive(folder):
        raise ConfigurationError(f"{folder} is no archive: name a folder that `etl raw archive` wrote")
    return plan.from_archive(folder, dict.fromkeys(names or manifest.sources(folder))), Archive(folder)


def _absolute(place: str) -> str:
    """A place that means the same in every process: URLs are left alone."""
    return place if "://" in place else str(Path(place).expanduser().absolute())


def _print(found: "list[Rebuilt]", *, as_json: bool) -> None:
    if as_json:
        output.json_document([asdict(each) for each in found])
    else:
        output.table([_row(each) for each in found], COLUMNS)
        for each in found:
            for line in each.unreadable:
                output.note(f"etl: {each.source}: {line}")
    if any(each.unreadable for each in found):
        raise typer.Exit(1)


def _row(found: "Rebuilt") -> dict[str, object]:
    counts = {f"{name}s": found.rows.get(name, 0) for name in ("model", "endpoint", "price")}
    return {"source": found.source, "snapshots": found.snapshots, **counts, "unreadable": len(found.unreadable)}
