"""Equal values are equal texts: what Postgres holds for the same is spelled the same, and nothing else is."""

import itertools
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from etl.domain import jsontext
from etl.spark import canonical

VALUES: list[Any] = [
    *(Decimal(each) for each in ("1", "1.0", "1e0", "0", "-0", "0.000", "1E+2", "100", "-2.50", "-2.5", "1e-900")),
    *(Decimal(each) for each in ("10e-901", "1E+999", "10E+998", "1E+2000", "10E+1999", "1" + "0" * 45)),
    *(1, 100, 0, -1, 10**45, 2**64, 10**19, True, False, None, "1", "", "1.0", [], {}, [1], [Decimal("1.0")], ["1"]),
    *({"a": 1, "b": 2}, {"b": 2, "a": Decimal("1.00")}, {"a": {"b": [Decimal("1e1")]}}, {"a": {"b": [10]}}),
]


def test_json_is_spelled_the_same_exactly_when_postgres_holds_it_for_the_same(engine: Engine) -> None:
    stored = [jsontext.encode(value) for value in VALUES]
    spelled = [canonical.json(value) for value in VALUES]
    query = text("SELECT CAST(:one AS jsonb) = CAST(:other AS jsonb)")
    with engine.connect() as connection:
        for one, other in itertools.combinations_with_replacement(range(len(VALUES)), 2):
            is_same = connection.scalar(query, {"one": stored[one], "other": stored[other]})
            assert (spelled[one] == spelled[other]) == is_same, (VALUES[one], VALUES[other])
            assert connection.scalar(query, {"one": stored[one], "other": spelled[one]}), VALUES[one]


amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40)


@given(amounts, st.integers(0, 30))
def test_an_amount_is_spelled_the_same_however_many_zeros_it_has(amount: Decimal, zeros: int) -> None:
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    longer = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    assert canonical.amount(amount) == canonical.amount(longer)
    assert Decimal(canonical.amount(amount)) == amount
