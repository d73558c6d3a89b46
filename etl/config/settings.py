"""Everything that can be configured, with its default and what it means; docs/configuration.md is made from here.

``examples`` stand in etl.example.toml where a key has no default, or one that depends on the machine.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from etl.config.values import (
    Duration,
    ExistingFile,
    Folder,
    Listed,
    Listening,
    Name,
    Named,
    Once,
    Schedule,
    Url,
    Variable,
)
from etl.cron import Cron
from etl.rates import Margins, Rates
from etl.sources.quarantine import LIMIT


class Table(BaseModel):
    """A table of the file, of whose ``alternatives`` one key at most is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alternatives: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _one_alternative(self) -> Self:
        given = [key for key in self.alternatives if getattr(self, key) is not None]
        if len(given) > 1:
            context = {"given": " and ".join(given)}
            raise PydanticCustomError("alternatives", "{given} exclude each other: take all but one out", context)
        return self


class SourceSettings(Table):
    """One ``[sources.NAME]``: what differs from the built-in entry of its kind."""

    model_config = ConfigDict(frozen=False)

    alternatives = ("credential", "credential_file")

    kind: Name | None = Field(
        None, description="How the source is read; the name itself when that is a kind.", examples=["bifrost"]
    )
    url: Url | None = Field(
        None, description="Base url of the gateway; unset: that of its kind.", examples=["https://bifrost.example.com"]
    )
    path: str | None = Field(
        None,
        pattern="^/",
        description="Path of the catalog below the url; unset: that of its kind.",
        examples=["/v1/models"],
    )
    schedule: Schedule = Field(Cron("7 * * * *"), description="When to pull it.")
    jitter: Duration = Field(timedelta(seconds=20), description="The daemon begins up to so much later, by chance.")
    enabled: bool | None = Field(
        None,
        description="Whether `etl run` and `etl schedule` pull it unasked; "
        "unset: if it has the url and the credential that it needs.",
        examples=[True],
    )
    credential: Variable | None = Field(
        None,
        description="Name of the environment variable that holds the credential; unset: the one of its kind.",
        examples=["BIFROST_EU_KEY"],
    )
    credential_file: Folder | None = Field(
        None, description="File that holds the credential.", examples=["/run/secrets/bifrost_eu_key"]
    )
    allow_http: bool = Field(
        default=False, description="Whether a credential may travel over plain http to another machine."
    )
    page_size: int | None = Field(
        None, ge=1, description="Records per page, where the gateway pages on request; unset: its own.", examples=[500]
    )
    timeout_seconds: float = Field(120, gt=0, le=86_400, description="For the whole walk, bodies and retries included.")
    max_age: Duration = Field(
        timedelta(hours=3), gt=timedelta(0), description="Age of the last complete snapshot from which on it is stale."
    )


class WebhookSettings(Table):
    """One ``[[alerts.webhooks]]``: who is told. Its url comes from exactly one of the three keys."""

    alternatives = ("url", "url_env", "url_file")

    name: Name = Field(description="What it is called in the log and in the outbox.", examples=["operators"])
    url: Url | None = Field(
        None, description="Where to post, if that is no secret.", examples=["https://alerts.example.com/prices"]
    )
    url_env: Variable | None = Field(
        None, description="Name of the environment variable that holds the url.", examples=["OPERATORS_URL"]
    )
    url_file: Folder | None = Field(
        None, description="File that holds the url.", examples=["/run/secrets/operators_url"]
    )
    format: Literal["json", "slack"] = Field("json", description="JSON with every fact, or the text that Slack takes.")

    @model_validator(mode="after")
    def _has_url(self) -> Self:
        if not any((self.url, self.url_env, self.url_file)):
            context = {"keys": ", ".join(self.alternatives)}
            raise PydanticCustomError("no_url", "Nothing says where to post: give it one of {keys}", context)
        return self


class PriceWatch(Table):
    """One ``[[alerts.price_changes]]``: which changes of prices somebody wants to be told of."""

    name: Name = Field(description="What it is called in the messages.", examples=["big-changes"])
    source: str = Field("*", description="Which sources: a name, or a pattern with `*` and `?`.")
    model: str = Field("*", description="Which models, by their ids: a pattern with `*` and `?`.")
    min_ratio: Decimal = Field(
        Decimal(1), ge=1, description="Only changes by this factor or more, up or down: 1.1 for 10 %."
    )
    webhooks: tuple[str, ...] = Field((), description="Names of the webhooks to tell; none: all.")


class AlertSettings(Table):
    """``[alerts]``: when somebody is told that something is wrong, and who."""

    failures: int = Field(3, ge=1, description="Failed runs in a row from which on a source is reported.")
    repeat: Duration = Field(
        timedelta(hours=24), gt=timedelta(0), description="What is still wrong is said again after this long."
    )
    allow_http: bool = Field(
        default=False, description="Whether a url that is a secret may be called over plain http on another machine."
    )
    ping_env: Variable = Field(
        "ETL_PING_URL", description="Name of the variable that holds a url to call after each good round."
    )
    webhooks: Annotated[tuple[WebhookSettings, ...], Listed, Once] = Field((), description="Who is told.")
    price_changes: Annotated[tuple[PriceWatch, ...], Listed, Once] = Field(
        (), description="Which changes of prices are told."
    )


class RetentionSettings(Table):
    """``[retention]``: after how many days rows of the logs are pruned. History and landed bytes never are."""

    slots_days: int | None = Field(None, ge=1, description="Due times and what became of them.", examples=[90])
    runs_days: int | None = Field(None, ge=1, description="Runs that ended, once their slots are gone.", examples=[90])
    outbox_days: int | None = Field(None, ge=1, description="Messages that were delivered or given up.", examples=[30])
    alerts_days: int | None = Field(None, ge=1, description="Alerts that were resolved.", examples=[365])
    quarantine_days: int | None = Field(
        None, ge=1, description="Records that could not be read, of older snapshots.", examples=[30]
    )

    def limits(self, now: datetime) -> dict[str, datetime]:
        """Return the moment before which rows are old, for each kind of rows that is pruned."""
        days = {name.removesuffix("_days"): value for name, value in self if value is not None}
        return {name: now - timedelta(days=value) for name, value in days.items()}


class ReportSettings(Table):
    """``[report]``: where `etl schedule` keeps a report, and how new."""

    folder: Folder | None = Field(
        None,
        description="Folder in which `etl schedule` keeps `report.html`; unset: it makes none.",
        examples=["/var/lib/etl-report"],
    )
    schedule: Schedule = Field(Cron("0 6 * * *"), description="When it is made anew.")


class SparkSettings(Table):
    """``[spark]``: where `etl rebuild --engine spark` runs, and with what."""

    master: str = Field("local[2]", min_length=1, description="Where Spark runs: this machine, or a cluster's master.")
    conf: dict[str, str] | None = Field(
        None,
        description="Options of Spark by their names; no secrets, whoever is on the machine can see them.",
        examples=[{"spark.driver.memory": "4g"}],
    )


class Settings(BaseSettings):
    """Everything that can be configured, with its default."""

    model_config = SettingsConfigDict(
        env_prefix="ETL_", env_nested_delimiter="__", extra="forbid", env_ignore_empty=True, populate_by_name=True
    )

    home: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("llm-price-warehouse", appauthor=False),
        description="Folder of the embedded Postgres; unset: in the user's data folder, on Linux this one.",
        examples=["~/.local/share/llm-price-warehouse"],
    )
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        repr=False,
        description="The warehouse, without a password when it stands in the file; unset: the embedded Postgres.",
        examples=["postgresql://etl@localhost:5432/prices"],
    )
    db_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of the embedded Postgres on 127.0.0.1; unset: 25432, or the next free one at the first "
        "start, and the same one since.",
        examples=[25432],
    )
    pgbin: Folder | None = Field(
        None,
        validation_alias="PGBIN",
        description="Folder of the programs for the embedded Postgres; unset: those that came with etl.",
        examples=["/usr/lib/postgresql/18/bin"],
    )
    max_page_bytes: int = Field(
        64 * 1024 * 1024, ge=1, description="Most bytes of a page, and of all pages of a walk, unpacked."
    )
    max_pages: int = Field(500, ge=1, description="Most pages of one walk.")
    quarantine_limit: int = Field(
        LIMIT, ge=1, description="Records of a snapshot that are kept when they cannot be read; more are only counted."
    )
    doubt_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="A live snapshot is held that removes a larger share of the models or prices, makes it free, or "
        "moves it by one and the same power of ten.",
    )
    doubt_minimum: int = Field(2, ge=1, description="Steps of fewer models or prices than this are never held.")
    doubt_confirm_after_seconds: int = Field(
        600,
        ge=0,
        description="How much later a snapshot must be to confirm a held one; 0: the next one does at once.",
    )
    ca_file: ExistingFile | None = Field(
        None, description="Certificate authority (PEM) to trust besides the system's.", examples=["ca.pem"]
    )
    log_format: Literal["auto", "human", "json"] = Field(
        "auto", description="How events are written to stderr; auto: for people on a terminal, else JSON."
    )
    http_address: Listening | None = Field(
        None,
        description="Where `etl schedule` serves /healthz, /readyz and /metrics; a port alone is on 127.0.0.1.",
        examples=["127.0.0.1:9464"],
    )
    archive: Folder | None = Field(
        None,
        description="Folder of archived bodies, if it is not where they were put.",
        examples=["/var/lib/etl-archive"],
    )
    archive_after: Duration = Field(
        timedelta(days=365), gt=timedelta(0), description="Age from which on `etl raw archive` takes bodies."
    )
    sources: Annotated[dict[str, SourceSettings], Named] = Field(
        default_factory=dict, description="The catalogs to pull."
    )
    rates: Rates = Field(default_factory=list, description="What currencies are worth, besides USD and CREDIT.")
    margins: Margins = Field(default_factory=list, description="By what gateways multiply their providers' prices.")
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="Who is told of what.")
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report that the daemon keeps.")
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="When rows of the logs are pruned; by default never."
    )
    spark: SparkSettings = Field(default_factory=SparkSettings, description="Where Spark runs.")

    _file: Path = PrivateAttr(Path("etl.toml"))

    def read_from(self, file: Path) -> Self:
        """These settings, knowing the file that they were read from."""
        self._file = file
        return self

    def place(self, key: str) -> str:
        """Where a key stands, as the beginning of a complaint."""
        return f"{self._file}: {key}"

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
