"""Everything that can be configured, with its default and what it means; docs/configuration.md is made from here."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from etl.config.values import Duration, ExistingFile, Folder, Listening, Schedule
from etl.cron import Cron
from etl.rates import Margins, Rates


class SourceSettings(BaseModel):
    """One ``[sources.NAME]``: what differs from the built-in entry of its kind."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(None, description="How the source is read; the name itself when that is a kind.")
    url: str | None = Field(None, description="Base url of the gateway.")
    path: str | None = Field(None, pattern="^/", description="Path of the catalog below the url.")
    schedule: Schedule = Field(Cron("7 * * * *"), description="When to pull it: a cron expression, UTC.")
    jitter: Duration = Field(timedelta(seconds=20), description="The daemon begins up to so much later, by chance.")
    enabled: bool | None = Field(None, description="Whether `etl run` pulls it without naming it.")
    credential: str | None = Field(None, description="Name of the environment variable that holds the credential.")
    credential_file: Folder | None = Field(None, description="File that holds the credential.")
    page_size: int | None = Field(None, ge=1, description="Records per page, where the gateway pages on request.")
    timeout_seconds: float = Field(120, gt=0, description="For the whole walk, bodies and retries included.")
    max_age: Duration = Field(timedelta(hours=3), description="Age at which the source counts as stale: 90m, 36h, 2d.")


class WebhookSettings(BaseModel):
    """One ``[[alerts.webhooks]]``: who is told. Its url comes from exactly one of the three keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="What it is called in the log and in the outbox.")
    url: str | None = Field(None, description="Where to post, if that is no secret.")
    url_env: str | None = Field(None, description="Name of the environment variable that holds the url.")
    url_file: Folder | None = Field(None, description="File that holds the url.")
    format: Literal["json", "slack"] = Field("json", description="JSON with every fact, or the text that Slack takes.")


class PriceWatch(BaseModel):
    """One ``[[alerts.price_changes]]``: which changes of prices somebody wants to be told of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="What it is called in the messages.")
    source: str = Field("*", description="Which sources: a name, or a pattern with * and ?.")
    model: str = Field("*", description="Which models, by their ids: a pattern with * and ?.")
    min_ratio: Decimal = Field(
        Decimal(1), ge=1, description="Only changes by this factor or more, up or down: 1.1 for 10 %."
    )
    webhooks: tuple[str, ...] = Field((), description="Names of the webhooks to tell; default: all.")


class AlertSettings(BaseModel):
    """``[alerts]``: when somebody is told that something is wrong, and who."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    failures: int = Field(3, ge=1, description="Failed runs in a row from which on a source is reported.")
    repeat: Duration = Field(timedelta(hours=24), description="What is still wrong is said again after this long.")
    ping_env: str = Field(
        "ETL_PING_URL", description="Name of the variable that holds a url to call after each good round."
    )
    webhooks: tuple[WebhookSettings, ...] = Field((), description="Who is told.")
    price_changes: tuple[PriceWatch, ...] = Field((), description="Which changes of prices are told.")


class Settings(BaseSettings):
    """Everything that can be configured, with its default."""

    model_config = SettingsConfigDict(env_prefix="ETL_", extra="forbid", env_ignore_empty=True, populate_by_name=True)

    home: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("llm-price-warehouse", appauthor=False),
        description="Where the embedded Postgres lives.",
    )
    database_url: str | None = Field(
        None, validation_alias="DATABASE_URL", repr=False, description="The warehouse; unset: the embedded Postgres."
    )
    db_port: int = Field(25432, ge=1, le=65535, description="Port of the embedded Postgres on 127.0.0.1.")
    pgbin: Folder | None = Field(None, validation_alias="PGBIN", description="Folder of the Postgres binaries to use.")
    max_page_bytes: int = Field(
        64 * 1024 * 1024, ge=1, description="Most bytes of a page, and of all pages of a walk, unpacked."
    )
    max_pages: int = Field(500, ge=1, description="Most pages of one walk.")
    doubt_share: float = Field(0.2, ge=0, le=1, description="A live snapshot that removes more of the models is held.")
    doubt_minimum: int = Field(2, ge=1, description="Removals of fewer models than this are never held.")
    ca_file: ExistingFile | None = Field(None, description="Certificate authority to trust besides the system's.")
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="How events are written to stderr; auto: for people on a terminal, else JSON."
    )
    http_address: Listening | None = Field(
        None, description="Where `etl schedule` serves /healthz, /readyz and /metrics; a port alone is on 127.0.0.1."
    )
    archive_after: Duration = Field(timedelta(days=365), description="Age from which `etl raw archive` takes bodies.")
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="Who is told of what.")
    sources: dict[str, SourceSettings] = Field(default_factory=dict, description="The catalogs to pull.")
    rates: Rates = Field(default_factory=list, description="What currencies are worth, besides USD and CREDIT.")
    margins: Margins = Field(default_factory=list, description="By what gateways multiply their providers' prices.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then what was read from the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings
