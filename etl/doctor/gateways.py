"""The gateways: whether each answers one small request now, and what time they have."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from etl.config import ConfiguredSource, Settings
from etl.doctor.clocks import agreement
from etl.doctor.finding import Finding, failed, ok, refused, skipped
from etl.errors import EtlError
from etl.extract.probe import Probe, probe
from etl.fetch import secret_of
from etl.patience import Patient

SECONDS = 10.0
"""For each gateway; all are asked at once."""

_BEYOND = 2.0
"""Seconds more for what cannot be broken off, like a name service that does not answer."""

_ROUNDED = timedelta(seconds=0.5)
"""A ``Date`` has no fractions: on average it was half a second later."""


def reachable(
    sources: Sequence[ConfiguredSource], settings: Settings, clock: Callable[[], datetime]
) -> Iterator[Finding]:
    """Each source's answer, and then what our clock is like beside theirs."""
    if not sources:
        yield skipped("clock", "no source is enabled that could be asked for the time")
        return
    with ThreadPoolExecutor(max_workers=len(sources)) as pool:
        probed = list(pool.map(lambda source: _probed(source, settings, clock), sources))
    for source, found in zip(sources, probed, strict=True):
        yield _told(source.name, found)
    yield _clock({each.name: found for each, found in zip(sources, probed, strict=True) if isinstance(found, Probe)})


def _probed(source: ConfiguredSource, settings: Settings, clock: Callable[[], datetime]) -> Probe | EtlError | None:
    """What came; null when nothing did within all patience."""

    def ask() -> Probe:
        secret = secret_of(source)
        ca_file = settings.ca_file
        return probe(source.source, url=source.url, clock=clock, secret=secret, seconds=SECONDS, ca_file=ca_file)

    try:
        return Patient(ask, SECONDS + _BEYOND)()
    except TimeoutError:
        return None
    except EtlError as error:
        return error


def _told(name: str, found: Probe | EtlError | None) -> Finding:
    check = f"source {name}"
    if found is None:
        return failed(check, f"no answer within {SECONDS:g} s", "see whether the name service answers")
    error = found.error if isinstance(found, Probe) else found
    if error is not None:
        return refused(check, error, name=name)
    assert isinstance(found, Probe)  # noqa: S101  what is no error is an answer
    return ok(check, f"HTTP {found.status} after {found.seconds:.1f} s from {found.url}")


def _clock(probes: dict[str, Probe]) -> Finding:
    """Our clock beside the server's that agrees best: when all others disagree with that, they are wrong."""
    ahead = {
        name: found.answered_at - (found.server_time + _ROUNDED)
        for name, found in probes.items()
        if found.server_time and found.answered_at
    }
    if not ahead:
        return skipped("clock", "no source that answered told the time")
    nearest = min(ahead, key=lambda name: abs(ahead[name]))
    return agreement("clock", ahead[nearest], nearest)
