"""What the documents show of ``etl explain`` and ``etl history`` is what they print about the demo."""

import re
import shlex
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.docs.markdown import DOCUMENTS, blocks
from tests.processes import etl

ELLIPSIS = "…"
"""Stands in the documents for what differs from one warehouse to the next: a port, the moment of loading."""


@pytest.mark.slow
def test_the_documents_show_what_is_printed(demo_url: URL, tmp_path: Path) -> None:
    texts = [block.code for document in DOCUMENTS for block in blocks(document, "text")]
    shown = [code for code in texts if code.startswith(("$ etl explain", "$ etl history"))]
    assert {code.split()[2] for code in shown} == {"explain", "history"}
    for example in shown:
        command, _, expected = example.partition("\n")
        ended = etl(tmp_path, *shlex.split(command)[2:], DATABASE_URL=demo_url.render_as_string(hide_password=False))
        pattern = re.escape(expected).replace(re.escape(ELLIPSIS), ".*")
        assert re.fullmatch(pattern, ended.out), ended.out + ended.err
