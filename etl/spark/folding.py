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
    from pyspark.sql import DataFrame, SparkSession

_SQL = {file.name.removesuffix(".sql"): file.read_text("utf-8") for file in (files(__package__) / "sql").iterdir()}

_SET_ASIDE = {
    "quarantine": "snapshot_id bigint, page int, pointer string, reason string, record string",
    "unmapped_field": "snapshot_id bigint, field string, count int, example string",
}


@dataclass(frozen=True)
class Fold:
    """The steps from runs (``piece``: source, relation, key, its columns, first, last, value) to a history."""

    spark: "SparkSession"
    piece: "DataFrame"

    def tables(self) -> "dict[str, DataFrame]":
        """By name, the tables of the history, of what was set aside, and of the snapshots that were read."""
        snapshot = self._run("snapshot", piece=self.piece)
        tick = self._run("tick", snapshot=snapshot).cache()
        coverage = self._run("coverage", piece=self.piece).cache()
        silence = self._run("silence", piece=self.piece, snapshot=snapshot, coverage=coverage).cache()
        showing = self._showing(tick, [each.name for each in HISTORY if each is not relations.model])
        ending = self._run("ending", showing=showing, silence=silence, tick=tick).cache()
        version = self._run("version", showing=showing, ending=ending).cache()
        deaf = self._run("model_silence", piece=self.piece, coverage=coverage, version=version, silence=silence)
        models = self._showing(tick, [relations.model.name])
        ended = self._run("ending", showing=models, silence=deaf, tick=tick)
        every = version.unionByName(self._run("version", showing=models, ending=ended))
        dated = self._run("dated", version=every, tick=tick).cache()
        found = {each.name: _typed(dated, each) for each in HISTORY if each is not relations.unseen}
        unseen = self._run("dated", version=self._run("unseen", showing=showing, ending=ending), tick=tick)
        found["unseen"] = self._run("seen", version=unseen, tick=tick).select(*_columns(relations.unseen))
        aside = {name: self._set_aside(name, schema) for name, schema in _SET_ASIDE.items()}
        return found | aside | {"snapshot": snapshot.drop("ordinal")}

    def _showing(self, tick: "DataFrame", names: list[str]) -> "DataFrame":
        return self._run("showing", {"relations": names}, piece=self.piece, tick=tick).cache()

    def _set_aside(self, name: str, schema: str) -> "DataFrame":
        rows = self.piece.where(self.piece.relation == name)
        return _unpacked(rows, schema).select("source", "told.*")

    def _run(self, statement: str, arguments: dict[str, Any] | None = None, **tables: "DataFrame") -> "DataFrame":
        return self.spark.sql(_SQL[statement], arguments, **tables)


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
