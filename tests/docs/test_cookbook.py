"""Every question of docs/cookbook.md is answered by the demo as the document says."""

import re
from itertools import groupby
from operator import itemgetter

import pytest
from sqlalchemy import Engine, text

from tests.docs.asking import answer
from tests.docs.markdown import ROOT, Block, anchors, blocks, cells, headed, links, statements

DOCUMENT = ROOT / "docs" / "cookbook.md"
QUESTIONS: dict[str, list[Block]] = {
    question: [block for _, block in found]
    for question, found in groupby(headed(DOCUMENT, "sql", "text"), key=itemgetter(0))
}
FEW = 8

_ORDERED = re.compile(r"^  FROM mart\.(usage_cost|billed_quantity)\(", re.MULTILINE)
"""What answers in the fixed order of the meters."""

_OBJECTS = text(
    """
    SELECT relname FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind IN ('v', 'm')
    UNION
    SELECT proname FROM pg_proc WHERE pronamespace = 'mart'::regnamespace
    """
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answer_beside_the_query_is_that_of_the_demo(demo: Engine, question: str) -> None:
    query, expected = QUESTIONS[question]
    assert (query.language, expected.language) == ("sql", "text")
    with demo.connect() as connection:
        connection.execute(text("SET LOCAL ROLE etl_reader"))
        assert answer(connection, query.code) == cells(expected.code)


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_has_few_rows_and_at_least_one(question: str) -> None:
    _, expected = QUESTIONS[question]
    assert 1 <= len(cells(expected.code)) - 1 <= FEW


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_query_is_one_select_after_temporary_relations_of_its_own(question: str) -> None:
    query, _ = QUESTIONS[question]
    *before, last = statements(query.code)
    assert all(re.match(r"CREATE TEMP (TABLE|VIEW) ", statement) for statement in before)
    assert last.startswith("SELECT ")


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_of_several_rows_comes_in_an_order(question: str) -> None:
    query, expected = QUESTIONS[question]
    is_one_row = len(cells(expected.code)) - 1 == 1
    assert is_one_row or "\n ORDER BY " in query.code or _ORDERED.search(query.code)


def test_there_are_thirty_questions_and_more() -> None:
    assert len(QUESTIONS) == len(blocks(DOCUMENT, "sql")) >= 30
    assert [question for question in QUESTIONS if not question.endswith("?")] == []


def test_the_contents_name_every_section() -> None:
    sections = re.findall(r"^## (.*)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    listed = [link.removeprefix("#") for link in links(DOCUMENT) if link.startswith("#")]
    assert len(listed) == len(sections)
    assert set(listed) <= anchors(DOCUMENT)


def test_every_view_and_function_of_the_mart_is_asked(demo: Engine) -> None:
    asked = {name for query, _ in QUESTIONS.values() for name in re.findall(r"\bmart\.(\w+)", query.code)}
    with demo.connect() as connection:
        assert asked == set(connection.scalars(_OBJECTS))
