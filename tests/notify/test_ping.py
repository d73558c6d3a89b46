"""The dead man's switch: a url that hears from us while all is well."""

import structlog

from tests.conftest import free_port
from tests.extract.gateway import Gateway, reply
from tests.notify.stage import FULL, Stage


def test_the_ping_is_one_request(stage: Stage, desk: Gateway) -> None:
    stage.ping_url = f"{desk.url}/ping/T0P-SECRET"
    stage.notifier.ping()
    assert [asked.target for asked in desk.asked] == ["/ping/T0P-SECRET"]


def test_without_a_url_nothing_is_asked(stage: Stage, desk: Gateway) -> None:
    stage.notifier.ping()
    assert desk.asked == []


def test_a_ping_that_fails_is_one_warning(stage: Stage) -> None:
    stage.ping_url = f"http://127.0.0.1:{free_port()}/T0P-SECRET"
    with structlog.testing.capture_logs() as logged:
        stage.notifier.ping()
    assert logged == [{"event": "the ping did not arrive", "because": "no connection", "log_level": "warning"}]


def test_a_refused_ping_is_one_warning(stage: Stage) -> None:
    with Gateway(reply(404)) as gateway, structlog.testing.capture_logs() as logged:
        stage.ping_url = f"{gateway.url}/T0P-SECRET"
        stage.notifier.ping()
    assert [line["because"] for line in logged] == ["HTTP 404"]


def test_all_is_well_unless_something_fails_is_stale_or_held(stage: Stage) -> None:
    stage.show(FULL)
    assert stage.notifier.is_well()
    stage.fail()
    assert not stage.notifier.is_well()
    stage.later(minutes=1)
    stage.show({**FULL, "openai/m0": {"prompt": "12x"}})
    assert stage.notifier.is_well()
    stage.later(hours=4)
    assert not stage.notifier.is_well()
    stage.show(dict(list(FULL.items())[:2]))
    assert stage.rows("SELECT 1 FROM mart.source_health WHERE held_snapshots = 1")
    assert not stage.notifier.is_well()
