"""The feed of changes for feed readers: Atom (RFC 4287) and RSS 2.0, newest first."""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from etl.spoken import sentence

TITLE = "Changes of LLM prices"
ABOUT = "Prices, and models that came or went, on every gateway that this warehouse pulls."
ATOM = "http://www.w3.org/2005/Atom"
NAMESPACE = uuid.UUID("5b0f8d3e-5d0e-4a52-9d39-0c6a7f1f6a10")
"""Of the identifiers of entries: one and the same entry has one and the same id in every document."""

LINK = "urn:uuid:" + str(NAMESPACE)

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""

Row = Mapping[str, Any]


def atom(rows: Iterable[Row]) -> str:
    """An Atom document; an entry is as old as our knowledge of it."""
    found = _newest_first(rows)
    feed = Element("feed", xmlns=ATOM)
    _put(feed, "title", TITLE)
    _put(feed, "subtitle", ABOUT)
    _put(feed, "id", LINK)
    _put(feed, "updated", _latest(found).isoformat())
    _put(SubElement(feed, "author"), "name", "llm-price-warehouse")
    for row in found:
        entry = SubElement(feed, "entry")
        _put(entry, "title", sentence(row))
        _put(entry, "id", _id(row))
        _put(entry, "updated", row["known_at"].astimezone(UTC).isoformat())
        SubElement(entry, "category", term=_clean(row["source"]))
        SubElement(entry, "category", term=row["change"])
        _put(entry, "content", _details(row)).set("type", "text")
    return _document(feed)


def rss(rows: Iterable[Row]) -> str:
    """An RSS document; an item was published when we came to know of it."""
    found = _newest_first(rows)
    feed = Element("rss", version="2.0")
    channel = SubElement(feed, "channel")
    _put(channel, "title", TITLE)
    _put(channel, "link", LINK)
    _put(channel, "description", ABOUT)
    _put(channel, "lastBuildDate", format_datetime(_latest(found)))
    for row in found:
        item = SubElement(channel, "item")
        _put(item, "title", sentence(row))
        _put(item, "description", _details(row))
        _put(item, "category", row["source"])
        _put(item, "guid", _id(row)).set("isPermaLink", "false")
        _put(item, "pubDate", format_datetime(row["known_at"].astimezone(UTC)))
    return _document(feed)


def _newest_first(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["cursor"], reverse=True)


def _latest(rows: list[Row]) -> datetime:
    """When the newest entry became known; an empty feed has never changed."""
    return rows[0]["known_at"].astimezone(UTC) if rows else datetime.fromtimestamp(0, UTC)


def _id(row: Row) -> str:
    """What names an entry for ever: what it says of what, and when it began to say so."""
    facts = ("event", "source", "model_id", "provider", "region", "plan", "meter", "tier_start", "change", "changed_at")
    name = "\x1f".join(str(row[fact]) for fact in (*facts, "not_before", "known_at", "cursor"))
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, name)}"


def _details(row: Row) -> str:
    """The facts of one entry, one a line."""
    facts = {
        "changed": f"after {row['not_before'].isoformat()}, not after {row['changed_at'].isoformat()}",
        "cause": row["cause"] if row["meter"] else None,
        "old unit price": _amount(row, "old"),
        "new unit price": _amount(row, "new"),
        "cursor": f"c{row['cursor']}",
    }
    return "\n".join(f"{name}: {fact}" for name, fact in facts.items() if fact is not None)


def _amount(row: Row, which: str) -> str | None:
    price = row[f"{which}_unit_price"]
    currency = (row["old_currency"] if which == "old" else None) or row["currency"]
    return row[f"{which}_state"] if price is None else f"{price:f} {currency}"


def _put(parent: Element, name: str, said: str) -> Element:
    child = SubElement(parent, name)
    child.text = _clean(said)
    return child


def _clean(said: str) -> str:
    return _NOT_XML.sub("\ufffd", said)


def _document(root: Element) -> str:
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"
