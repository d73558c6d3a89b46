"""``etl doctor`` in tests: what it finds, by check, and dates as gateways write them."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.cli.conftest import Run
from tests.processes import Ended

Findings = dict[str, dict[str, Any]]


def date(**ahead: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(**ahead), usegmt=True)


def examine(etl: Run, status: int) -> tuple[Findings, Ended]:
    ended = etl("doctor", "--json")
    assert ended.status == status, ended
    assert "Traceback" not in ended.out + ended.err
    return {row["check"]: row for row in json.loads(ended.out)}, ended
