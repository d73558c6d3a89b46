"""What the documents show of ``etl explain`` is what it prints about the demo."""

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
def test_the_documents_show_what_is_explained(demo_url: URL, tmp_path: Path) -> None:
    shown = [
        block.code for document in DOCUMENTS for block in blocks(document, "text") if "$ etl explain" in block.code
    ]
    assert shown
    for example in shown:
        command, _, expected = example.partition("\n")
        ended = etl(tmp_path, *shlex.split(command)[2:], DATABASE_URL=demo_url.render_as_string(hide_password=False))
        pattern = re.escape(expected).replace(re.escape(ELLIPSIS), ".*")
        assert re.fullmatch(pattern, ended.out), ended.out + ended.err
