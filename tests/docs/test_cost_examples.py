"""The examples of docs/cost.md, run one after the other on the data of the demo, give the answers beside them."""

from datetime import UTC, datetime

from sqlalchemy import Connection, CursorResult, Engine, text

from etl.cli.output import cell
from etl.demo import story
from etl.pipeline import Pipeline
from tests.docs.markdown import ROOT, blocks, cells

DOCUMENT = ROOT / "docs" / "cost.md"


def test_the_examples_give_the_answers_beside_them(engine: Engine) -> None:
    list(story.play(Pipeline(engine, lambda: datetime.now(UTC))))
    given: list[list[str]] | None = None
    with engine.connect() as connection:
        for block in blocks(DOCUMENT, "sql", "text"):
            if block.language == "sql":
                assert given is None, f"no answer before {block.code}"
                given = _answer(connection, block.code)
            else:
                assert given == cells(block.code)
                given = None


def _answer(connection: Connection, code: str) -> list[list[str]] | None:
    result: CursorResult[object] = connection.execute(text(code.replace(":", "\\:").replace("\\:\\:", "::")))
    if not result.returns_rows:
        return None
    return [list(result.keys()), *([_psql(value) for value in row] for row in result)]


def _psql(value: object) -> str:
    return cell(value) if not hasattr(value, "isoformat") else str(value)
