"""Quoting: the text at a pointer is cut out of the body as it came, whatever the body looks like."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.domain.quotation import Body

NAMES = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["", "/", "~", "~1", "a/b", "0", "-1"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats(allow_nan=False)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=15
)
LAYOUTS = st.sampled_from(
    [
        {},
        {"indent": 2},
        {"separators": (",", ":")},
        {"separators": (" ,\t", "\r\n: ")},
        {"ensure_ascii": False},
    ]
)


def quoted_text(body: bytes, pointer: str) -> str:
    return Body.of(body).quoted(pointer)


def everything(value: Any, pointer: str = "") -> list[tuple[str, Any]]:
    """Every value of a document with its pointer, by the letter of the standard."""
    found = [(pointer, value)]
    if isinstance(value, dict):
        for name, item in value.items():
            found += everything(item, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += everything(item, f"{pointer}/{index}")
    return found


@given(DOCUMENTS, LAYOUTS)
def test_every_value_of_a_document_is_quoted_at_its_pointer(document: Any, layout: dict[str, Any]) -> None:
    text = json.dumps(document, **layout)
    body = Body.of(text.encode())
    for pointer, value in everything(document):
        quoted = body.quoted(pointer)
        assert quoted in text
        assert quoted == quoted.strip(" \t\r\n")
        assert json.loads(quoted) == value
        assert type(json.loads(quoted)) is type(value)


@given(DOCUMENTS, st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"]))
def test_every_encoding_of_json_can_be_quoted(document: Any, encoding: str) -> None:
    body = json.dumps({"a": document}).encode(encoding)
    assert json.loads(quoted_text(body, "/a")) == document


@pytest.mark.parametrize(
    "spelling",
    ["2.50e-06", "-0", "1E+2", "0.10", '"0.0000025000"', '"\\u0030.5"', '"\\/"', "99999999999999999999999", "1e400"],
)
def test_a_figure_is_quoted_as_it_is_spelled(spelling: str) -> None:
    assert quoted_text(f'{{"pricing" : [ null,\n {spelling} ] }}'.encode(), "/pricing/1") == spelling


@pytest.mark.parametrize("stranger", ["NaN", "-Infinity", '"\\ud800"', "9" * 5000, '"\t"'])
def test_what_a_strict_reader_refuses_does_not_stand_in_the_way(stranger: str) -> None:
    body = f'{{"odd": {stranger}, "prompt": "0.1"}}'.encode()
    assert quoted_text(body, "/prompt") == '"0.1"'
    assert quoted_text(body, "/odd") == stranger


def test_a_lone_surrogate_in_raw_bytes_can_be_stepped_over() -> None:
    assert quoted_text(b'{"odd": "\xed\xa0\x80", "prompt": 1}', "/prompt") == "1"


def test_of_two_members_with_one_name_the_last_one_speaks() -> None:
    assert quoted_text(b'{"a": 1, "b": 3, "a": 2}', "/a") == "2"


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/00", "/a/0/0", "/a/-", "/", "/A", "a"])
def test_where_nothing_stands_nothing_is_quoted(pointer: str) -> None:
    with pytest.raises(LookupError):
        quoted_text(b'{"a": [1, "b"]}', pointer)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b'{"a"', b'{"a": 1', b"\xff\xfe\x00"])
def test_what_is_no_json_is_refused_in_one_way(body: bytes) -> None:
    with pytest.raises(ValueError, match="."):
        quoted_text(body, "/a")


def test_quoting_many_figures_of_a_long_body_reads_it_once() -> None:
    rows = [{"id": f"m{number}", "pricing": {"prompt": f"0.{number:07}"}} for number in range(20_000)]
    body = Body.of(json.dumps({"data": rows}).encode())
    for number in range(0, 20_000, 100):
        assert Decimal(json.loads(body.quoted(f"/data/{number}/pricing/prompt"))) == Decimal(f"0.{number:07}")
