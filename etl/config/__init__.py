"""Configuration, read once: ``etl.toml`` and the environment, where the environment beats the file."""

from etl.config.files import FILE, load
from etl.config.receivers import Receiver, ping_url, receivers
from etl.config.settings import AlertSettings, PriceWatch, Settings, SourceSettings, WebhookSettings
from etl.config.sources import ConfiguredSource, configured
from etl.config.variables import near_misses

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
    "near_misses",
    "ping_url",
    "receivers",
]
