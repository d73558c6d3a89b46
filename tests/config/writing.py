"""A configuration as a person writes it, read; or the one line that it ends in."""

from pathlib import Path

import pytest

from etl import config
from etl.config import ConfiguredSource, Settings
from etl.errors import ConfigurationError


def settings(toml: str = "", name: str = "etl.toml") -> Settings:
    """The settings of a file in the working directory."""
    Path(name).write_text(toml)
    return config.load(None if name == "etl.toml" else Path(name))


def sources(toml: str = "", **environ: str) -> dict[str, ConfiguredSource]:
    """The sources of a file and an environment, after all else that commands look at."""
    found = settings(toml)
    config.receivers(found, environ)
    config.ping_url(found, environ)
    return config.configured(found, environ)


def fault(toml: str = "", **environ: str) -> str:
    """The one line that a wrong configuration ends in."""
    with pytest.raises(ConfigurationError) as caught:
        sources(toml, **environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)
