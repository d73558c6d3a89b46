"""The configuration: which file, what nothing reads, and whether every credential and every webhook is there."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from etl.config import FILE, ConfiguredSource, Settings
from etl.config.hints import hint
from etl.config.receivers import SHORTCUTS, ping_url, receivers
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
    credentials = {each.credential for each in sources if each.credential and not each.settings.credential_file}
    known = _ours(settings, sources) | credentials
    read = known | {f"{name}_FILE" for name in known}
    unread = [
        f"{name} ({hint(name, near, 'known')})"
        for name in sorted(environ.keys() - read)
        if (near := _meant(name, known, {each for each in credentials if each not in environ}))
    ]
    if unread:
        return warning("environment", f"nothing reads {', '.join(unread)}", "correct the names, or unset them")
    return ok("environment", "every variable of ours is read")


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


def _ours(settings: Settings, sources: Iterable[ConfiguredSource]) -> set[str]:
    """Every variable that something reads, without those of the credentials."""
    fields = {str(field.validation_alias or f"ETL_{name}").upper() for name, field in Settings.model_fields.items()}
    names = {f"ETL_{''.join(c if c.isalnum() else '_' for c in each.name).upper()}_URL" for each in sources}
    hooks = {hook.url_env for hook in settings.alerts.webhooks if hook.url_env}
    return fields | names | hooks | {*SHORTCUTS, settings.alerts.ping_env}


def _meant(name: str, known: Iterable[str], unset: Iterable[str]) -> list[str]:
    """What a variable that nothing reads may have been meant for; nothing when it is none of our business."""
    if name.startswith("ETL_"):
        return sorted(known)
    return difflib.get_close_matches(name, sorted(unset), n=1, cutoff=ALIKE)
