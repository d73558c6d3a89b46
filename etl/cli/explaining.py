"""Which prices a person asks about, and how each is explained: in words, or as a document for programs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from etl.cli import output
from etl.cli.derivation import equation, units
from etl.cli.invocation import Session
from etl.cli.session import near, require_known
from etl.domain.meters import Meter, multiply
from etl.errors import ConfigurationError, UsageError
from etl.explanation import Derivation, Explanation, Figure, explain
from etl.load import log, sightings
from etl.spoken import MILLION

Row = Mapping[str, Any]


def explanations(
    current: Session, source: str, model: str, wanted: Mapping[str, str | int | None], at: datetime | None
) -> list[Explanation]:
    """The prices of a model that are in force at a moment (null: now), where they have the wanted parts of the key.

    Raises ``ConfigurationError`` or ``UsageError`` when there is none.
    """
    with current.engine.connect() as connection:
        _require_landed(connection, source, current.sources)
        versions = _chosen(_versions(connection, source, model), wanted)
        in_force = _in_force(versions, at, f"{source} {model}")
        return list(explain(connection, source, in_force, current.settings.archive))


def _require_landed(connection: Connection, source: str, configured: Mapping[str, object]) -> None:
    landed = log.kinds_of_sources(connection)
    require_known(source, dict.fromkeys([*landed, *configured]))
    if source not in landed:
        raise ConfigurationError(f"nothing was ever landed of {source}: `etl run {source}` takes a snapshot")


def _versions(connection: Connection, source: str, model: str) -> list[dict[str, Any]]:
    """Every version of the model's prices. Raises ``UsageError`` when there is none, saying why."""
    models = sightings.models(connection, source)
    if model not in models:
        raise UsageError(f"{source} never listed a model {model}; {_near(model, models)}")
    versions = sightings.versions(connection, source=source, model_id=model)
    if versions:
        return versions
    if sightings.has_prices(connection, source):
        raise UsageError(f"{source} never published a price of {model}")
    raise UsageError(f"{source} publishes no prices: it only tells which models there are, {model} among them")


def _near(model: str, models: Sequence[str]) -> str:
    found = near(model, models)
    if found:
        return f"did you mean {' or '.join(found)}?"
    return f"it has {len(models)} others" if models else "it lists no models"


def _chosen(versions: Sequence[Row], wanted: Mapping[str, str | int | None]) -> list[Row]:
    """The versions with the wanted parts of the key. Raises ``ConfigurationError`` for a part that none of them has."""
    chosen = list(versions)
    for column, value in wanted.items():
        if value is not None:
            what = "tier" if column == "tier_start" else column
            require_known(str(value), dict.fromkeys(str(row[column]) for row in chosen), what=what)
            chosen = [row for row in chosen if row[column] == value]
    return chosen


def _in_force(versions: Sequence[Row], at: datetime | None, what: str) -> list[Row]:
    """The versions in force. Raises ``UsageError`` saying since or until when there are some."""
    held = [row for row in versions if _holds(row, at)]
    if held:
        return held
    begins = [row["valid_from"] for row in versions if at is not None and row["valid_from"] > at]
    ends = [row["valid_to"] for row in versions if row["valid_to"] and (at is None or row["valid_to"] <= at)]
    when = [f"the last one ended {output.cell(max(ends))}"] if ends else []
    when += [f"{'the next' if ends else 'the first'} one begins {output.cell(min(begins))}"] if begins else []
    moment_of_it = "now" if at is None else f"at {at.isoformat()}"
    raise UsageError(f"no such price of {what} is in force {moment_of_it}: {', '.join(when)}")


def _holds(row: Row, at: datetime | None) -> bool:
    if at is None:
        return row["valid_to"] is None
    return bool(row["valid_from"] <= at and (row["valid_to"] is None or row["valid_to"] > at))


def _per_million(version: Row) -> Any:
    is_token = version["meter"].endswith("_token") and version["unit_price"] is not None
    return multiply(version["unit_price"], MILLION) if is_token else None


def block(each: Explanation) -> Iterator[str]:
    """One price for people."""
    version, derivation = each.version, each.derivation
    key = [version["source"], version["model_id"], version["provider"]]
    key += [version[name] for name, usual in (("region", "*"), ("plan", "standard")) if version[name] != usual]
    tier = f" from {version['tier_start']} prompt tokens" if version["tier_start"] else ""
    yield f"{' · '.join(key)} · {version['meter']}{tier}"
    yield f"  price     {_price(version)}"
    ends = output.cell(version["valid_to"]) or "now"
    held = f"{output.cell(version['valid_from'])} to {ends}, known from {output.cell(version['known_from'])}"
    yield f"  in force  {held}"
    yield f"  snapshot  {_snapshot(each.first)}" if each.first else f"  snapshot  {output.cell(version['valid_from'])}"
    if each.last and each.last != each.first:
        yield f"  last in   {_snapshot(each.last)}"
    if derivation:
        yield from _source_lines(derivation)
        yield f"  hence     {equation(derivation, Meter(version['meter']), version['tier_start'])}"
    if each.problem:
        yield f"  problem   {each.problem}"


def _price(version: Row) -> str:
    if version["unit_price"] is None:
        return f"{version['price_state']}: it depends on the model that is picked"
    state = "free, " if version["price_state"] == "free" else ""
    per_million = _per_million(version)
    price = f"{state}{version['unit_price']:f} {version['currency']} per {version['meter']}"
    return price if per_million is None else f"{price}, {per_million:f} per 1M"


def _snapshot(row: Row) -> str:
    whole = "complete" if row["is_complete"] else "not complete"
    return f"{row['snapshot_id']}, observed {output.cell(row['observed_at'])}, {row['origin']}, {whole}"


def _source_lines(derivation: Derivation) -> Iterator[str]:
    page = derivation.page
    yield f"  page      {page.number}, status {page.status}, fetched {output.cell(page.fetched_at)}"
    yield f"  url       {page.url}"
    yield f"  sha-256   {page.sha256.hex()}"
    for figure in _figures(derivation):
        yield f"  text      {figure.text} at {figure.pointer}"


def _figures(derivation: Derivation) -> list[Figure]:
    units = [derivation.per] if isinstance(derivation.per, Figure) else []
    return [*derivation.figures, *units]


def document(each: Explanation) -> dict[str, Any]:
    """One price for programs."""
    version, derivation = each.version, each.derivation
    return {
        **version,
        "per_million": _per_million(version),
        "snapshot": each.first,
        "last_snapshot": each.last,
        "page": derivation and _page(derivation),
        "figures": [_figure(figure, role) for figure, role in _roles(derivation)] if derivation else [],
        "per": derivation and units(derivation),
        "rounding": derivation and derivation.evidence.rounding.name,
        "equation": derivation and equation(derivation, Meter(version["meter"]), version["tier_start"]),
        "problem": each.problem,
    }


def _page(derivation: Derivation) -> dict[str, Any]:
    page = derivation.page
    return {
        "number": page.number,
        "url": page.url,
        "status": page.status,
        "fetched_at": page.fetched_at,
        "sha256": page.sha256.hex(),
    }


def _roles(derivation: Derivation) -> Iterator[tuple[Figure, str]]:
    for count, figure in enumerate(derivation.figures):
        yield figure, "multiplier" if count else "price"
    if isinstance(derivation.per, Figure):
        yield derivation.per, "units"


def _figure(figure: Figure, role: str) -> dict[str, Any]:
    return {
        "role": role,
        "meter": figure.meter,
        "tier_start": figure.tier_start,
        "pointer": figure.pointer,
        "text": figure.text,
    }
