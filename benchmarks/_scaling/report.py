"""What was measured and what follows from it, as text for a terminal and for docs/scaling.md."""

from collections.abc import Callable, Iterator

from benchmarks._scaling import plan
from benchmarks._scaling.costs import PER_SNAPSHOT, Costs
from benchmarks._scaling.life import CHANGED
from benchmarks._scaling.plan import ASSUMPTIONS, Plan

MARKERS = ("<!-- scaling:begin -->", "<!-- scaling:end -->")

_ROWS = (*PER_SNAPSHOT, "core.model", "core.endpoint", "core.price", "core.price_change", "core.applied")

_PLANNED: tuple[tuple[str, str, Callable[[Plan], float]], ...] = (
    ("assumed", "snapshots with new bytes, %", lambda each: 100 * each.assumption.new),
    ("assumed", "snapshots with other prices, %", lambda each: 100 * each.assumption.changed),
    ("computed", "different bodies, million", lambda each: each.bodies / 1e6),
    ("computed", "  compressed in the database, TB", lambda each: each.body_bytes / 1e12),
    ("computed", "versions of prices, million", lambda each: each.versions / 1e6),
    ("computed", "  with their changes, TB", lambda each: each.version_bytes / 1e12),
    ("computed", "rows that every snapshot has, TB", lambda each: each.log_bytes / 1e12),
    ("computed", "the database, TB", lambda each: each.database_bytes / 1e12),
    ("computed", "WAL, GB a day", lambda each: each.wal_bytes / 1e9),
    ("computed", "cores busy on average: client", lambda each: each.cores("client")),
    ("computed", "  Postgres", lambda each: each.cores("server")),
    ("computed", "core-days to read each snapshot again", lambda each: each.reading_all),
    ("computed", "  to read each body once", lambda each: each.reading_new),
)


def measured(costs: Costs) -> str:
    """Everything that was measured, as one table of text."""
    parts = (_snapshots(costs), _rows(costs), _grown(costs), _proved(costs))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def computed(costs: Costs) -> str:
    """The plan, as one table of text."""
    said = plan.SNAPSHOTS * costs.phases[CHANGED].body
    plans = [Plan(costs, each) for each in ASSUMPTIONS]
    lines = [
        f"{plan.SOURCES:,} sources, {plan.PER_DAY} snapshots a day, {plan.DAYS:,} days:",
        f"{plan.SNAPSHOTS / 1e6:.1f} million snapshots, {plan.PER_SECOND:.2f} a second, {said / 1e12:.0f} TB of JSON",
        f"{'':9} {'':38} " + " ".join(f"{each.name:>9}" for each in ASSUMPTIONS),
        *(
            f"{how:9} {what:38} " + " ".join(f"{_short(figure(each)):>9}" for each in plans)
            for how, what, figure in _PLANNED
        ),
        "",
        f"computed  {plan.models(costs):,.0f} models: to link them all anew, s of a core {plan.linking(costs):13.1f}",
        f"{'':10}to see after each load that none changed, ms of Postgres {1000 * plan.settling(costs):5.0f}",
    ]
    return "\n".join(lines) + "\n"


def _snapshots(costs: Costs) -> Iterator[str]:
    yield f"each snapshot, {'':18} KB of      ms of CPU        ms   after the load   KB of     KB of   transac-"
    yield f"{'in a small warehouse':33} JSON  client  Postgres  wall  client Postgres   body     WAL      tions"
    for what, phase in costs.phases.items():
        load, settle = phase.load, phase.settle
        yield (
            f"{what:31} {phase.body / 1e3:6.0f} {phase.each(load.client):7.1f} {phase.each(load.server):9.1f}"
            f" {phase.each(load.wall):5.0f} {phase.each(settle.client):7.1f} {phase.each(settle.server):8.1f}"
            f" {phase.packed / 1e3:6.1f} {load.wal / phase.snapshots / 1e3:7.1f}"
            f" {load.transactions / phase.snapshots:10.1f}"
        )


def _rows(costs: Costs) -> Iterator[str]:
    yield f"{'each row, with its indexes':31} {'rows':>10} {'bytes':>7}"
    for table in _ROWS:
        yield f"{table:31} {costs.rows[table]:10,} {costs.row_bytes(table):7.0f}"
    yield f"{'a snapshot in which nothing is new':42} {costs.snapshot_bytes:7.0f}"


def _grown(costs: Costs) -> Iterator[str]:
    yield f"among {costs.rows['core.snapshot']:,} snapshots and {costs.rows['core.price']:,} versions of prices"
    for what, phase in costs.again.items():
        former = costs.phases[what]
        ratio = phase.each(phase.load.cpu) / former.each(former.load.cpu)
        yield (
            f"  {what}: {phase.each(phase.load.cpu):.1f} ms of CPU, {ratio:.2f} × that of the small warehouse;"
            f" after the load Postgres {phase.each(phase.settle.server):.1f} ms"
        )
    yield f"  all {costs.rows['core.model']:,} models linked anew: {costs.linked.cpu:.1f} s of CPU"
    for title, answer in costs.answers.items():
        yield f"  {title}: {answer.milliseconds:,.0f} ms, {answer.rows:,} rows"


def _proved(costs: Costs) -> Iterator[str]:
    yield "etl verify, seconds for each GB of JSON      client  Postgres   wall"
    for what, cost in costs.verified.items():
        size = costs.read(what) / 1e9
        yield f"{what:43} {cost.client / size:7.0f} {cost.server / size:9.0f} {cost.wall / size:6.0f}"


def _short(figure: float) -> str:
    """Two digits that count, or all before the point."""
    return f"{figure:,.0f}" if figure >= 10 else f"{figure:.2g}"
