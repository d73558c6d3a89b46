"""Which model a person means, which of its prices are shown, and the report that is made of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from etl.cli import output
from etl.cli.invocation import Session
from etl.cli.session import near, require_known, require_source
from etl.cli.versions import show
from etl.domain.meters import Meter
from etl.errors import UsageError
from etl.load import models
from etl.load.models import Listed

USUAL = (Meter.INPUT_TOKEN, Meter.OUTPUT_TOKEN)
"""What everybody pays for."""

ALL = "all"

MOST = 5
"""Names of models that are told of more."""

_ORDER = {meter.value: place for place, meter in enumerate(Meter)}


def tell(current: Session, name: str, *, source: str | None, meters: Sequence[str], as_json: bool) -> None:
    """Print the history of the model's prices. Raises ``UsageError`` or ``ConfigurationError`` for a wrong question."""
    with current.engine.connect() as connection:
        if source:
            require_source(current, connection, source)
        meant = _meant(connection, name.strip(), source)
        found = models.history(connection, [(each.source, each.model_id) for each in meant])
        seen = models.last_observed(connection, [each.source for each in meant])
    found.sort(key=lambda row: _ORDER[row["meter"]])
    rows = _chosen(found, meters, is_whole=as_json)
    if as_json:
        output.json_document(rows)
    elif rows:
        show(_title(meant), rows, seen)
    _say_what_is_missing(meant, found, rows, is_silent=as_json)


def _meant(connection: Connection, name: str, source: str | None) -> list[Listed]:
    """The ids of the one model that the name means, at all sources or at one."""
    nearest = _nearest(models.named(connection, name), source)
    if not nearest:
        raise UsageError(_unknown(name, models.names(connection)))
    fitting = {(each.canonical_id or each.model_id, each.canonical_id is None) for each in nearest}
    if len(fitting) > 1:
        several = _some([each for each, _ in sorted(fitting)])
        raise UsageError(f"{name} fits several models: {several}; ask for one of them, or for one --source")
    canonical_id = nearest[0].canonical_id
    meant = nearest if canonical_id is None else models.linked(connection, canonical_id)
    here = sorted(each for each in meant if source in (None, each.source))
    if not here:
        raise UsageError(f"{source} never listed {name}; {_some(sorted({each.source for each in meant}))} did")
    return here


def _nearest(found: Sequence[Listed], source: str | None) -> list[Listed]:
    """Those that the name meets best; what the wanted source lists itself comes before what others do."""
    pool = [each for each in found if each.source == source] or found
    best = min((each.nearness for each in pool), default=0)
    return [each for each in pool if each.nearness == best]


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"no model {name}: there are none yet; `etl run` takes a snapshot of each source, `etl demo` plays some"
    found = near(name, known)
    return f"no model {name}; " + (f"did you mean {' or '.join(found)}?" if found else f"there are {len(known)} others")


def _chosen(rows: list[dict[str, Any]], meters: Sequence[str], *, is_whole: bool) -> list[dict[str, Any]]:
    """The rows of the wanted meters; those that everybody pays for when none are named; else all."""
    there = dict.fromkeys(row["meter"] for row in rows)
    for meter in meters:
        require_known(meter, [*(there or _ORDER), ALL], what="meter")
    usual = [] if is_whole else [meter for meter in USUAL if meter in there]
    wanted = there if ALL in meters else meters or usual or there
    return [row for row in rows if row["meter"] in wanted]


def _title(meant: Iterable[Listed]) -> str:
    """What the model is called, and where it has which id."""
    ids: dict[str, list[str]] = {}
    for each in meant:
        ids.setdefault(each.model_id, []).append(each.source)
    [name] = {each.canonical_id or each.model_id for each in meant}
    return name if list(ids) == [name] else f"{name}, listed as {', '.join(ids)}"


def _say_what_is_missing(
    meant: Sequence[Listed], found: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], *, is_silent: bool
) -> None:
    """Say on stderr which sources have no price of the model, and how to see the prices that are not shown."""
    priced = {row["source"] for row in found}
    without = sorted({each.source for each in meant} - priced)
    if not found:
        output.note(f"no price of {meant[0].model_id} was ever published: it is only listed, at {_some(without)}")
    elif without and not is_silent:
        output.note(f"without prices: {_some(without)}")
    shown = {row["meter"] for row in rows}
    others = [meter for meter in dict.fromkeys(row["meter"] for row in found) if meter not in shown]
    if others and not is_silent:
        output.note(f"other prices: {', '.join(others)}; --meter {others[0]} shows one, --meter all every one")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
