"""From runs to versions, in Spark SQL: gaps and islands for each key (docs/spark.md explains the rules).

The statements stand in ``sql/``; this module says in which order.
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime
from sqlalchemy.dialects.postgresql import JSONB

from etl.load import relations
from etl.load.relations import HISTORY, Relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

_SQL = {file.name.removesuffix(".sql"): file.read_text("utf-8") for file in (files(__package__) / "sql").iterdir()}

_SET_ASIDE = {
    "quarantine": "snapshot_id bigint, page int, pointer string, reason string, record string, count int",
    "unmapped_field": "snapshot_id bigint, field string, count int, example string",
}


@dataclass(frozen=True)
class Fold:
    """The steps from runs (``piece``: source, relation, key, its columns, first, last, value) to a history.

    ``keep`` computes a table of some name and puts it somewhere. Without that Spark would plan all steps as one, of
    which it takes minutes to think.
    """

    spark: "SparkSession"
    keep: "Callable[[str, DataFrame], DataFrame]"

    def tables(self, pieces: "DataFrame") -> "dict[str, DataFrame]":
        """By name, the tables of the history, of what was set aside, and of the snapshots that were read."""
        piece = self.keep("piece", pieces)
        snapshot = self._step("snapshot", piece=piece)
        tick = self._step("tick", snapshot=snapshot)
        coverage = self._step("coverage", piece=piece)
        silence = self._step("silence", piece=piece, snapshot=snapshot, coverage=coverage)
        showing = self._step("showing", _but(relations.model), piece=piece, tick=tick)
        ending = self._step("ending", showing=showing, silence=silence, tick=tick)
        version = self._step("version", showing=showing, ending=ending)
        unseen = self._step("unseen", showing=showing, ending=ending, tick=tick)
        silence = self._step("model_silence", piece=piece, coverage=coverage, version=version, silence=silence)
        showing = self._step("showing", {"relations": [relations.model.name]}, piece=piece, tick=tick)
        ending = self._step("ending", showing=showing, silence=silence, tick=tick)
        models = self._step("version", showing=showing, ending=ending)
        dated = self._step("dated", version=version.unionByName(models), tick=tick)
        found = {each.name: _typed(dated, each) for each in HISTORY if each is not relations.unseen}
        found["unseen"] = unseen.select(*_columns(relations.unseen))
        aside = {name: _set_aside(piece, name, schema) for name, schema in _SET_ASIDE.items()}
        return found | aside | {"snapshot": snapshot.drop("ordinal")}

    def _step(self, name: str, arguments: dict[str, Any] | None = None, **tables: "DataFrame") -> "DataFrame":
        return self.keep(name, self.spark.sql(_SQL[name], arguments, **tables))


def _but(relation: Relation) -> dict[str, Any]:
    return {"relations": [each.name for each in HISTORY if each is not relation]}


def _set_aside(piece: "DataFrame", name: str, schema: str) -> "DataFrame":
    return _unpacked(piece.where(piece.relation == name), schema).select("source", "told.*")


def _columns(relation: Relation) -> list[str]:
    return ["source", *relation.key, *relation.values, "valid_from", "valid_to"]


def _typed(version: "DataFrame", relation: Relation) -> "DataFrame":
    """The versions of one relation, with a column for each value."""
    schema = ", ".join(f"{name} {_type(relation.stage.c[name].type)}" for name in relation.values)
    rows = _unpacked(version.where(version.relation == relation.name), schema)
    return rows.select(*(f"told.{name}" if name in relation.values else name for name in _columns(relation)))


def _unpacked(rows: "DataFrame", schema: str) -> "DataFrame":
    from pyspark.sql.functions import from_json  # noqa: PLC0415

    return rows.withColumn("told", from_json("value", schema, {"mode": "FAILFAST"}))


def _type(type_: Any) -> str:
    """The type of a column in Spark. Amounts, which may have more digits than its decimals, stay text; so does JSON."""
    if isinstance(type_, JSONB):
        return "string"
    names = {BigInteger: "bigint", Boolean: "boolean", DateTime: "timestamp", ARRAY: "array<string>"}
    return next((name for each, name in names.items() if isinstance(type_, each)), "string")
