"""How what is exported is told to Iceberg: columns with their numbers, partitions, and what is in a file."""

import pyarrow as pa
from pyarrow import parquet
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Transaction
from pyiceberg.transforms import IdentityTransform, MonthTransform
from pyiceberg.typedef import Record
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from etl.lake.columns import DECIMAL, PRECISION, SCALE, TEXTS, TIME
from etl.lake.parts import Part
from etl.lake.relations import Relation
from etl.lake.stream import Extent, Partition

_NUMBER = "PARQUET:field_id"

_TYPES: dict[pa.DataType, IcebergType] = {
    pa.string(): StringType(),
    pa.bool_(): BooleanType(),
    pa.int32(): IntegerType(),
    pa.int64(): LongType(),
    pa.date32(): DateType(),
    DECIMAL: DecimalType(PRECISION, SCALE),
    pa.float64(): DoubleType(),
    TIME: TimestamptzType(),
}


def schema_of(extent: Extent) -> Schema:
    """The columns in Iceberg's types. The numbers are only distinct: a table gives its own."""
    return Schema(
        *(
            NestedField(
                field_id=number,
                name=column.name,
                field_type=_type(column.type, len(extent.columns) + number),
                required=False,
                doc=column.comment,
            )
            for number, column in enumerate(extent.columns, 1)
        )
    )


def _type(arrow: pa.DataType, number: int) -> IcebergType:
    if arrow == TEXTS:
        return ListType(element_id=number, element_type=StringType(), element_required=False)
    return _TYPES[arrow]


def spec_of(relation: Relation, schema: Schema) -> PartitionSpec:
    """By source and month, or not at all."""
    if not relation.dated_by:
        return PartitionSpec()
    source, moment = schema.find_field("source").field_id, schema.find_field(relation.dated_by).field_id
    return PartitionSpec(
        PartitionField(source_id=source, field_id=1000, transform=IdentityTransform(), name="source"),
        PartitionField(source_id=moment, field_id=1001, transform=MonthTransform(), name=f"{relation.dated_by}_month"),
    )


def evolve(transaction: Transaction, wanted: Schema) -> bool:
    """Give a table the columns that are wanted; false when it has them already.

    A column of another type is another column of the same name, with a number of its own; former snapshots keep theirs.
    """
    present = {each.name: each for each in transaction.table_metadata.schema().fields}
    new = [each for each in wanted.fields if not _is_same(present.get(each.name), each)]
    gone = [name for name in present if name not in wanted.column_names]
    if not new and not gone:
        return False
    with transaction.update_schema(allow_incompatible_changes=True) as update:
        for name in [*gone, *(each.name for each in new if each.name in present)]:
            update.delete_column(name)
        for each in new:
            update.add_column(each.name, each.field_type, doc=each.doc)
    return True


def _is_same(present: NestedField | None, wanted: NestedField) -> bool:
    """Whether a column is of the wanted type; the number of a list's element is the table's own."""
    if present is None:
        return False
    is_list = isinstance(present.field_type, ListType) and isinstance(wanted.field_type, ListType)
    return is_list or present.field_type == wanted.field_type


def numbered(field: pa.Field, schema: Schema) -> pa.Field:
    """A column of a file, with the number by which its table knows it."""
    known = schema.find_field(field.name)
    metadata = {**(field.metadata or {}), _NUMBER: str(known.field_id)}
    if not isinstance(known.field_type, ListType):
        return field.with_metadata(metadata)
    element = pa.field("element", pa.string(), metadata={_NUMBER: str(known.field_type.element_id)})
    return pa.field(field.name, pa.list_(element), metadata=metadata)


def data_file(transaction: Transaction, path: str, file: Part) -> DataFile:
    """What a table has to know of a file at a location."""
    metadata = transaction.table_metadata
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=parquet.read_metadata(pa.BufferReader(file.content)),
        stats_columns=compute_statistics_plan(metadata.schema(), metadata.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(metadata.schema()),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=_record(file.partition),
        file_size_in_bytes=file.bytes,
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )


def _record(partition: Partition) -> Record:
    """A partition in Iceberg's values: months are counted from January 1970."""
    if partition.source is None or partition.month is None:
        return Record()
    year, _, month = partition.month.partition("-")
    return Record(partition.source, (int(year) - 1970) * 12 + int(month) - 1)
