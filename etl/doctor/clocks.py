"""Whether the clocks agree: history is dated by ours, freshness is judged by the database's."""

from datetime import timedelta

from etl.doctor.finding import Finding, failed, ok, warning

MUCH, FAR_TOO_MUCH = timedelta(seconds=30), timedelta(minutes=5)

REMEDY = "let NTP set the clock of this machine, or of the other: history is dated by this one"


def agreement(check: str, ahead: timedelta, other: str) -> Finding:
    """What it means that our clock is so far ahead of another, or behind it when negative."""
    seconds = abs(ahead).total_seconds()
    if abs(ahead) <= MUCH:
        return ok(check, f"agrees with {other} within {max(1, round(seconds))} s")
    found = f"ours is {seconds:,.0f} s {'ahead of' if ahead > timedelta(0) else 'behind'} {other}"
    return failed(check, found, REMEDY) if abs(ahead) > FAR_TOO_MUCH else warning(check, found, REMEDY)
