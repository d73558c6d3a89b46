"""The configuration: which file, what nothing reads, and whether every credential and every webhook is there."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from etl.config import FILE, ConfiguredSource, Settings
from etl.config.receivers import ping_url, receivers
from etl.config.variables import near_misses
from etl.doctor.finding import Finding, failed, ok, refused, skipped, warning
from etl.errors import EtlError
from etl.extract.address import Address
from etl.fetch import secret_of

ALIKE = 0.8
"""How much two names of variables have in common that are likely to be meant for one."""


def found(file: Path | None, sources: Collection[ConfiguredSource]) -> Finding:
    """A valid configuration, and where it was found."""
    path = (file or Path(FILE)).absolute()
    where = str(path) if path.exists() else f"no {FILE} here, so defaults and environment"
    enabled = sum(source.is_enabled for source in sources)
    if not enabled:
        return warning("configuration", f"{where}; no source is enabled", "`etl sources` says why not")
    return ok("configuration", f"{where}; {enabled} of {len(sources)} sources are enabled")


def environment(settings: Settings, sources: Iterable[ConfiguredSource], environ: Mapping[str, str]) -> Finding:
    """Variables that look as if they were meant for us, and that nothing reads."""
    unread = [*near_misses(settings, environ), *_near_credentials(sources, environ)]
    if unread:
        return warning("environment", "; ".join(unread), "correct the names, or unset them")
    return ok("environment", "no variable looks like one of ours and is none")


def credential(source: ConfiguredSource) -> Finding:
    """Whether a source can prove who it is; never with what."""
    check = f"credential {source.name}"
    try:
        source.require_credential()
        secret_of(source)
        Address.parse(source.url, source.name)
    except EtlError as error:
        return refused(check, error, name=source.name)
    if source.source.credential is None:
        return skipped(check, "none is needed")
    if source.secret is None:
        return skipped(check, f"{source.credential} is not set, and need not be")
    return ok(check, f"{source.credential} is set")


def webhooks(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether every alert has somewhere to go."""
    known = receivers(settings, environ)
    ping = ping_url(settings, environ)
    if not known and not ping:
        yield skipped("webhooks", "none is configured: nobody is told when something is wrong")
        return
    names = [f"{each.name} ({each.format})" for each in known] + (["ping"] if ping else [])
    unknown = {name for watch in settings.alerts.price_changes for name in watch.webhooks} - {
        each.name for each in known
    }
    if unknown:
        listed = ", ".join(sorted(unknown))
        yield failed("webhooks", f"price changes go to {listed}, which is configured nowhere", "correct the name")
    else:
        yield ok("webhooks", ", ".join(names))


def _near_credentials(sources: Iterable[ConfiguredSource], environ: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that was likely meant to hold a credential which is missing."""
    named = {each.credential: each for each in sources if each.credential and not each.settings.credential_file}
    foreign = [name for name in environ if name not in named and name.removesuffix("_FILE") not in named]
    for variable, source in named.items():
        if source.secret is None:
            for name in difflib.get_close_matches(variable, foreign, n=1, cutoff=ALIKE):
                yield f"{name} is read by nothing: did you mean {variable}?"
