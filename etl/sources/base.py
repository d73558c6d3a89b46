"""What a source is: a description of one kind of gateway that can be asked, but does nothing by itself.

Add a kind by adding a module with one subclass of ``Source``; a scan of the package finds it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Generic, NamedTuple, Self, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from etl.domain.catalog import Catalog, Coverage, Json, Quarantined, Scope
from etl.domain.garbage import uncollected
from etl.domain.snapshot import Page, PageRequest
from etl.errors import ContractError
from etl.sources.quarantine import LIMIT, Quarantine

W = TypeVar("W", bound=BaseModel)

Texts: TypeAlias = Annotated[list[str], Field(fail_fast=True)]
"""A list of texts. Only the first item that is none is reported: to report a million of them would take a gigabyte."""

Name: TypeAlias = Annotated[str, Field(min_length=1)]
"""A text that is part of a key."""


def _short(value: Json) -> Json:
    """The value, unless it is a number that would take for ever to write out, like ``1e99999999``."""
    if isinstance(value, Decimal) and abs(value.adjusted()) > 20:
        raise ValueError("no number that a column can hold")
    return value


Count: TypeAlias = Annotated[int, Field(ge=-(2**63), lt=2**63), BeforeValidator(_short)]
"""A whole number on the wire, within what a column of the database can hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """The header that carries the secret, and the environment variable that holds it by default."""

    header: str
    env: str
    prefix: str = ""
    is_required: bool = True


class Recourse(StrEnum):
    """What can be done about a reply that is no success."""

    RETRY = "retry"
    ACCESS = "access"
    GIVE_UP = "give up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A reply that is no success: what to do, what the gateway said, how many seconds it wants us to wait."""

    recourse: Recourse
    message: str
    retry_after: float | None = None


class Place(NamedTuple):
    """Where a value stands: page number (from 1) and JSON pointer."""

    page: int
    pointer: str = ""

    def at(self, *steps: str | int) -> Self:
        """The place further down, each step a key or an index."""
        pointer = self.pointer
        for step in steps:
            name = str(step)
            if "~" in name or "/" in name:
                name = name.replace("~", "~0").replace("/", "~1")
            pointer = f"{pointer}/{name}"
        return type(self)(self.page, pointer)


@dataclass(frozen=True, slots=True)
class Record(Generic[W]):
    """One readable record of a page: its place, the validated wire model, and the JSON it came from."""

    place: Place
    wire: W
    raw: Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading(Generic[W]):
    """All pages of a snapshot, parsed but not yet flattened; ``envelopes`` are the pages' whole documents."""

    records: tuple[Record[W], ...]
    quarantined: tuple[Quarantined, ...] = ()
    envelopes: tuple[Json, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)


class Source(ABC, Generic[W]):
    """One configured catalog. Methods are pure: they describe requests and read pages.

    ``name`` is the source's own name (several sources can have one kind); prices that name no provider hang on it.
    """

    kind: ClassVar[str]
    url: ClassVar[str]
    path: ClassVar[str]
    credential: ClassVar[Credential | None] = None
    needs_url: ClassVar[bool] = False
    """Whether the default url is only a guess, so that the source is enabled by configuring one."""

    records: ClassVar[tuple[str, ...] | None] = None
    """Where in a page the list stands whose items make one model each, and all else of the catalog but the names of
    providers and authors; null where that is not so. ``coverage`` then looks at nothing of an item but its ``id``."""

    quarantine_limit: int = LIMIT
    """Records of a snapshot that are kept when they cannot be read; the others are counted."""

    explains: bool = True
    """Whether every price carries its evidence, as far as that costs anything; to load prices it is not needed."""

    def __init__(self, name: str | None = None, *, path: str | None = None, page_size: int | None = None) -> None:
        self.name = name or self.kind
        self.request_path = path or self.path
        self.page_size = page_size

    def first_page(self) -> PageRequest:
        """The request that begins a walk."""
        return PageRequest(path=self.request_path)

    def next_page(self, page: Page) -> PageRequest | None:  # noqa: ARG002  one page is the rule
        """The request that follows ``page``, or null when it is the last. Raises ``ContractError``."""
        return None

    def refusal(self, page: Page) -> Refusal:
        """What a reply with a status other than 2xx and 304 means."""
        return refusal_by_status(page, self.complaint(page))

    def complaint(self, page: Page) -> str | None:  # noqa: ARG002
        """The gateway's own words in an error body, or null."""
        return None

    def coverage(self, pages: Sequence[Page]) -> Coverage:  # noqa: ARG002
        """How far the pages, taken together, can prove an absence. Raises ``ContractError``."""
        return Coverage()

    @abstractmethod
    def parse(self, pages: Sequence[Page]) -> Reading[W]:
        """The records of all pages, unreadable ones set aside. Raises ``ContractError`` for a foreign shape."""

    @abstractmethod
    def flatten(self, reading: Reading[W]) -> Catalog:
        """The catalog that the records make."""

    def read(self, pages: Sequence[Page]) -> Catalog:
        """Parse and flatten in one go."""
        with uncollected():
            return self.flatten(self.parse(pages))


RETRIED = frozenset({408, 425, 429})


def refusal_by_status(page: Page, complaint: str | None, *, retry_after: float | None = None) -> Refusal:
    """The usual meaning of a status: 401, 402 and 403 are access, 408, 425, 429 and 5xx (not 501) pass, others stay."""
    message = f"HTTP {page.status}" + (f": {complaint[:300]}" if complaint else "")
    if page.status in (401, 402, 403):
        return Refusal(recourse=Recourse.ACCESS, message=message)
    if page.status in RETRIED or (page.status >= 500 and page.status != 501):
        return Refusal(recourse=Recourse.RETRY, message=message, retry_after=retry_after)
    return Refusal(recourse=Recourse.GIVE_UP, message=message)


def error_document(page: Page) -> dict[str, Json]:
    """The error body as a JSON object; empty when it is none."""
    try:
        return page.document if isinstance(page.document, dict) else {}
    except ContractError:
        return {}


def validate(
    wire: type[W], items: Sequence[Json], place: Place, key: Callable[[Json], str | None], limit: int = LIMIT
) -> Reading[W]:
    """The readable records among the items of one list; the others are quarantined, ``limit`` of them as they are.

    ``key`` gives the model id of an unreadable item where it can be told; what history knows of that model is
    then carried on. Where it cannot, the whole snapshot can only add.
    """
    records: list[Record[W]] = []
    quarantine = Quarantine(limit)
    for index, item in enumerate(items):
        if quarantine.is_full and type(item) is not dict:
            quarantine.count(place.page, (Scope(),))
            continue
        at = place.at(index)
        try:
            records.append(Record(at, wire.model_validate(item), item))
        except ValidationError as error:
            scopes = (Scope(model_id=key(item)),)
            if quarantine.is_full:
                quarantine.count(at.page, scopes)
                continue
            quarantine.add(
                Quarantined(page=at.page, pointer=at.pointer, reason=explain(error), record=item, scopes=scopes)
            )
    return Reading(records=tuple(records), quarantined=quarantine.records())


def joined(readings: Iterable[Reading[W]], coverage: Coverage, envelopes: Iterable[Json] = ()) -> Reading[W]:
    """The readings of several pages as one."""
    every = tuple(readings)
    return Reading(
        records=tuple(record for reading in every for record in reading.records),
        quarantined=tuple(entry for reading in every for entry in reading.quarantined),
        envelopes=tuple(envelopes),
        coverage=coverage,
    )


def explain(error: ValidationError) -> str:
    """What is wrong with a record, in one line: the first three faults, each with its path."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    texts = [f"{'.'.join(map(str, fault['loc'])) or 'record'}: {fault['msg']}" for fault in faults[:3]]
    return "; ".join(texts) + (f" (and {len(faults) - 3} more)" if len(faults) > 3 else "")


def text_key(item: Json, *names: str) -> str | None:
    """The first of the named fields that holds a non-empty string: the model id of an unreadable record."""
    if not isinstance(item, dict):
        return None
    return next((item[name] for name in names if isinstance(item.get(name), str) and item[name]), None)
