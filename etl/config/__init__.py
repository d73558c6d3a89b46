"""Configuration, read once: ``etl.toml`` and the environment, where the environment beats the file."""

from etl.config.files import FILE, load
from etl.config.receivers import Receiver, ping_url, receivers
from etl.config.settings import AlertSettings, PriceWatch, Settings, SourceSettings, WebhookSettings
from etl.config.sources import ConfiguredSource, configured

__all__ = [
    "FILE",
    "AlertSettings",
    "ConfiguredSource",
    "PriceWatch",
    "Receiver",
    "Settings",
    "SourceSettings",
    "WebhookSettings",
    "configured",
    "load",
    "ping_url",
    "receivers",
]
