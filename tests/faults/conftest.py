"""Walks in these tests go straight to loopback, and do not announce their retries."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(scope="session", autouse=True)
def _straight_and_quiet() -> Iterator[None]:
    hooks = stamina.instrumentation.get_on_retry_hooks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        patch.setenv("no_proxy", "127.0.0.1,localhost")
        stamina.instrumentation.set_on_retry_hooks(())
        yield
        stamina.instrumentation.set_on_retry_hooks(hooks)
