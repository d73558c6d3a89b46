"""A secret is hidden in every spelling that a gateway may repeat it in."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from etl.concealment import CONCEALED, Secrets

VALUE = 'sk"planted/with+signs&all\\of them'


@pytest.mark.parametrize(
    "spelling",
    [
        VALUE,
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        html.escape(VALUE),
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE)[1:-1].replace("/", "\\/"),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
    ],
)
def test_every_spelling_is_hidden_in_lines_and_bodies(spelling: str) -> None:
    secrets = Secrets.of([VALUE])
    assert secrets.are_in(f"x{spelling}y")
    assert secrets.hide(f"x{spelling}y").startswith(f"x{CONCEALED}")
    assert spelling.rstrip("=").encode() not in secrets.blot(f'{{"key": "{spelling}"}}'.encode())
    assert CONCEALED.encode() in secrets.blot(spelling.encode())
