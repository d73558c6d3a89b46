"""One function per kind: the pages of one snapshot become one `Reading`.

A model's value is (name, author, context_length, max_output_tokens), an endpoint's (provider_model_id,
context_length, max_output_tokens, is_ptb), a price's (currency, price_state, unit_price).
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from operator import itemgetter

from tests.oracle.exact import (
    DOUBLE,
    EXACT,
    Json,
    Key,
    Reading,
    UnreadableError,
    dig,
    divide,
    is_first,
    listed,
    number,
    quote,
    record,
    text,
)
from tests.oracle.names import (
    HELICONE,
    HELICONE_MULTIPLIERS,
    HELICONE_SPELLINGS,
    METERS,
    MODALITIES,
    PER_UNIT,
    PHASEO,
)


def helicone_registry(pages: list[Json], _source: str) -> Reading:
    """Models with their endpoints; the lossless tiers where an endpoint carries them."""
    reading = Reading()
    records = [one for page in pages for one in listed(dig(page, "data", "models"))]
    reading.complete = all(dig(page, "data", "total") in (None, len(records)) for page in pages)
    for model in records:
        with record(reading, dig(model, "id")):
            if not is_first(reading, reading.models, text(dig(model, "id"))):
                continue
            limits = (model.get("contextLength"), model.get("maxOutput"))
            reading.models[(model["id"],)] = (model.get("name"), model.get("author"), *limits)
            for endpoint in listed(model.get("endpoints") or []):
                region = dig(endpoint, "endpoint", "userConfig", "region") or "*"
                with record(reading, model["id"], dig(endpoint, "provider"), region):
                    helicone_endpoint(reading, (model["id"], text(dig(endpoint, "provider")), text(region)), endpoint)
    return reading


def helicone_endpoint(reading: Reading, key: Key, endpoint: dict[str, Json]) -> None:
    """One endpoint and its tiers, each with what it inherits from the tiers below."""
    if not is_first(reading, reading.endpoints, *key):
        return
    inner = endpoint.get("endpoint") or {}
    limits = (inner.get("contextLength"), inner.get("maxCompletionTokens"))
    ptb = inner.get("ptbEnabled", endpoint.get("supportsPtb"))
    reading.endpoints[key] = (inner.get("providerModelId"), *limits, ptb)
    tiers = listed(inner.get("pricing") or endpoint.get("pricingTiers") or [endpoint.get("pricing") or {}])
    per = Decimal(1 if inner.get("pricing") else 10**6)
    below: dict[str, Json] = {}
    for start, tier in sorted(((number(tier.get("threshold")) or 0, tier) for tier in tiers), key=itemgetter(0)):
        below = inherit(below, one_spelling(tier))
        for meter, amount in helicone_tier(reading, below, per):
            quote(reading, (*key, "standard", meter, int(start)), amount)


def one_spelling(tier: dict[str, Json]) -> dict[str, Json]:
    """The tier with one name per field and without nulls, nested ones too."""
    named: dict[str, Json] = {}
    for name, value in tier.items():
        if isinstance(value, dict):
            named[name] = {inner: amount for inner, amount in value.items() if amount is not None}
        elif value is not None:
            named[HELICONE_SPELLINGS.get(name, name)] = value
    multipliers = named.get("cacheMultipliers", {})
    if "read" in multipliers:
        multipliers.setdefault("cachedInput", multipliers.pop("read"))
    return named


def inherit(below: dict[str, Json], tier: dict[str, Json]) -> dict[str, Json]:
    """What the tier says over what the tier below says, nested fields too."""
    both = {**below, **tier}
    for name, value in tier.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            both[name] = {**below[name], **value}
    return both


def helicone_tier(reading: Reading, tier: dict[str, Json], per: Decimal) -> Iterator[tuple[str, Decimal | None]]:
    """The meters of one effective tier, each with the price of one unit."""
    for name, value in tier.items():
        if name in HELICONE:
            yield HELICONE[name], figure(value, per)
        elif name == "cacheMultipliers":
            for inner, factor in value.items():
                reading.unmapped[f"{name}.{inner}"] += inner not in HELICONE_MULTIPLIERS
                if inner in HELICONE_MULTIPLIERS:
                    yield HELICONE_MULTIPLIERS[inner], times(tier.get("input"), factor)
        elif name in MODALITIES and isinstance(value, dict):
            yield f"input_{name}_token", figure(value.get("input"), per)
            yield f"output_{name}_token", figure(value.get("output"), per)
            yield f"cache_read_{name}_token", figure(value.get("cachedInput"), per)
            yield f"cache_read_{name}_token", times(value.get("input"), value.get("cachedInputMultiplier"))
            known = {"input", "output", "cachedInput", "cachedInputMultiplier"}
            reading.unmapped.update(f"{name}.{inner}" for inner in value.keys() - known)
        elif name in ("image", "audio", "video"):
            yield "input_image" if name == "image" else f"input_{name}_token", figure(value, per)
        else:
            reading.unmapped[name] += name != "threshold"


def figure(value: Json, per: Decimal) -> Decimal | None:
    """A quoted figure for one unit; one that is quoted per million comes out of a double."""
    amount = number(value)
    return amount if amount is None or per == 1 else divide(DOUBLE.plus(amount), per)


def times(base: Json, factor: Json) -> Decimal | None:
    """A price and its multiplier, where both are told."""
    left, right = number(base), number(factor)
    return None if left is None or right is None else EXACT.multiply(left, right)


def identities(records: list[Json]) -> set[str]:
    """The distinct ids that can be read."""
    return {found for one in records if isinstance(found := dig(one, "id"), str)}


def helicone_gateway(pages: list[Json], _source: str) -> Reading:
    """Presence only: models, no endpoints, no prices."""
    reading = Reading()
    for model in [one for page in pages for one in listed(dig(page, "data"))]:
        with record(reading, dig(model, "id")):
            if is_first(reading, reading.models, text(dig(model, "id"))):
                reading.models[(model["id"],)] = (model.get("name"), model.get("owned_by"), None, None)
    return reading


def bifrost(pages: list[Json], source: str) -> Reading:
    """One row is one model and its one endpoint; completeness is told per provider."""
    reading = Reading()
    tokens = [dig(page, "next_page_token") or None for page in pages]
    ids = [identities(listed(dig(page, "data"))) for page in pages]
    repeated = len(set(tokens)) < len(tokens) or sum(map(len, ids)) > len(set().union(*ids))
    reading.complete = tokens[-1] is None and not repeated
    statuses = [status for page in pages for status in listed(dig(page, "key_statuses") or [])]
    good = {dig(status, "provider") for status in statuses if dig(status, "status") == "success"}
    bad = {dig(status, "provider") for status in statuses if dig(status, "status") != "success"}
    if statuses:
        reading.proven = lambda model_id: not bad if "/" not in model_id else model_id.split("/")[0] in good - bad
    for row in [one for page in pages for one in page["data"]]:
        with record(reading, dig(row, "id")):
            if not is_first(reading, reading.models, text(dig(row, "id"))):
                continue
            provider, slash, upstream = row["id"].partition("/")
            limits = (row.get("context_length"), row.get("max_output_tokens"))
            reading.models[(row["id"],)] = (row.get("name"), row.get("owned_by"), *limits)
            endpoint = (row["id"], provider if slash else source, "*")
            reading.endpoints[endpoint] = (upstream if slash else row["id"], None, None, None)
            for name, value in (row.get("pricing") or {}).items():
                amount, key = number(value), (*endpoint, "standard", PER_UNIT.get(name), 0)
                if name not in PER_UNIT:
                    reading.unmapped[name] += 1
                elif amount == -1:
                    reading.prices[key] = ("USD", "dynamic", None)
                else:
                    quote(reading, key, amount)
    return reading


def majestix(pages: list[Json], source: str) -> Reading:
    """Credits per 1,000 tokens, out of doubles; no proof of completeness but the body itself."""
    reading = Reading()
    bodies = [page if isinstance(page, list) else dig(page, "models") or dig(page, "data") or [] for page in pages]
    if not any(isinstance(page, list) or "models" in page or "data" in page for page in pages):
        raise UnreadableError("no list of models")
    for model in [one for body in bodies for one in listed(body)]:
        model_id = dig(model, "id") or dig(model, "key")
        with record(reading, model_id):
            if not is_first(reading, reading.models, text(model_id)):
                continue
            name, limits = model.get("name") or model.get("display_name"), ("context_window", "max_output_tokens")
            reading.models[(model_id,)] = (name, None, *(model.get(limit) for limit in limits))
            endpoint = (model_id, text(model.get("provider") or source), "*")
            reading.endpoints[endpoint] = (None, None, None, None)
            for way in ("input", "output"):
                credits_ = number(model.get(f"cost_per_1k_{way}"))
                if credits_ is not None:
                    unit = divide(EXACT.quantize(credits_, Decimal("1e-9")), Decimal(1000))
                    quote(reading, (*endpoint, "standard", f"{way}_token", 0), unit, "CREDIT")
    return reading


def phaseo(pages: list[Json], source: str) -> Reading:
    """Both shapes that carry models, told apart by each model's keys."""
    reading = Reading()
    records = [one for page in pages for one in listed(dig(page, "models"))]
    fits = [model for model in records if isinstance(model, dict) and {"offers", "pricing_detail"} & model.keys()]
    if records and not fits:
        raise UnreadableError("neither shape")
    ids = identities(records)
    reading.complete = all(dig(page, "total") == len(ids) for page in pages)
    for model in records:
        with record(reading, dig(model, "id")):
            if not is_first(reading, reading.models, text(dig(model, "id"))):
                continue
            if "offers" in model:
                phaseo_current(reading, model)
            else:
                phaseo_documented(reading, model, source)
    return reading


def phaseo_current(reading: Reading, model: dict[str, Json]) -> None:
    """One set of prices per offer, whatever the model itself repeats."""
    limits = (dig(model, "limits", "input_tokens"), dig(model, "limits", "output_tokens"))
    reading.models[(model["id"],)] = (model.get("name"), dig(model, "organization", "id"), *limits)
    offered: dict[tuple[Json, ...], tuple[()]] = {}
    for offer in listed(model["offers"] or []):
        endpoint = (model["id"], text(dig(offer, "provider", "id")), "*")
        plan = dig(offer, "pricing", "pricing_plan") or "standard"
        if not is_first(reading, offered, *endpoint, plan):
            continue
        offered[(*endpoint, plan)] = ()
        if plan == "standard" or endpoint not in reading.endpoints:
            reading.endpoints[endpoint] = (offer.get("model"), None, None, None)
        for _provider, meter, amount, currency in phaseo_meters(reading, offer.get("pricing")):
            quote(reading, (*endpoint, plan, meter, 0), amount, currency)


def phaseo_documented(reading: Reading, model: dict[str, Json], source: str) -> None:
    """One set of prices per model, each naming its provider; the strings only where no meter has a price."""
    top = model.get("top_provider") or {}
    limits = (top.get("context_length"), top.get("max_completion_tokens"))
    reading.models[(model["id"],)] = (model.get("name"), model.get("organisation_id"), *limits)
    found = list(phaseo_meters(reading, model.get("pricing_detail")))
    if not any(dig(meter, "price_per_unit") is not None for meter in meters_of(model.get("pricing_detail")).values()):
        for name, value in (model.get("pricing") or {}).items():
            amount = number(value)
            reading.unmapped[name] += amount is not None and name not in PER_UNIT
            if amount is not None and name in PER_UNIT:
                found.append((None, PER_UNIT[name], DOUBLE.plus(amount), "USD"))
    providers = [text(dig(provider, "api_provider_id")) for provider in model.get("providers") or []]
    for provider in [*providers, *(owner or source for owner, *_ in found)]:
        reading.endpoints[(model["id"], provider, "*")] = (None, None, None, None)
    plan = dig(model, "pricing_detail", "pricing_plan") or "standard"
    for owner, meter, amount, currency in found:
        quote(reading, (model["id"], owner or source, "*", plan, meter, 0), amount, currency)


def meters_of(pricing: Json) -> dict[str, Json]:
    """The meters, those of the text before the general ones of the same meaning."""
    meters = dict(dig(pricing, "meters") or {})
    return {name: meters[name] for name in sorted(meters, key=lambda name: name in ("input_tokens", "output_tokens"))}


def phaseo_meters(reading: Reading, pricing: Json) -> Iterator[tuple[str | None, str, Decimal, str]]:
    """Every meter with a price: provider, meter, the price of one unit, currency."""
    for name, quoted in meters_of(pricing).items():
        amount = number(dig(quoted, "price_per_unit"))
        meter = PHASEO.get(name, name)
        meter = meter if meter in METERS else meter.removesuffix("s")
        if amount is None:
            continue
        if meter in METERS:
            unit = divide(DOUBLE.plus(amount), number(quoted.get("unit_size")) or Decimal(0))
            yield quoted.get("provider_id"), meter, unit, quoted.get("currency") or "USD"
        else:
            reading.unmapped[name] += 1


KINDS: dict[str, Callable[[list[Json], str], Reading]] = {
    kind.__name__: kind for kind in (helicone_registry, helicone_gateway, bifrost, majestix, phaseo)
}
