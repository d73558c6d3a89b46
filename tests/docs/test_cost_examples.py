"""The examples of docs/cost.md, run one after the other on the data of the demo, give the answers beside them."""

from sqlalchemy import Engine

from tests.docs.asking import answer
from tests.docs.markdown import ROOT, blocks, cells

DOCUMENT = ROOT / "docs" / "cost.md"


def test_the_examples_give_the_answers_beside_them(demo: Engine) -> None:
    given: list[list[str]] | None = None
    with demo.connect() as connection:
        for block in blocks(DOCUMENT, "sql", "text"):
            if block.language == "sql":
                assert given is None, f"no answer before {block.code}"
                given = answer(connection, block.code)
            else:
                assert given == cells(block.code)
                given = None
