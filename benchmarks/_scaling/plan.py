"""What the measured costs make of many sources for years: computed, never run."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks._scaling.costs import Costs
from benchmarks._scaling.life import CHANGED, REORDERED, SAME
from benchmarks._scaling.meter import Cost

SOURCES = 1_000
PER_DAY = 288
DAYS = 5 * 365
SNAPSHOTS = SOURCES * PER_DAY * DAYS
PER_SECOND = SOURCES * PER_DAY / 86_400

_DAY = 86_400
_TERA = 1e12


@dataclass(frozen=True)
class Assumption:
    """How much is new: the shares of the snapshots with bytes that were never seen, and with other prices."""

    name: str
    new: float
    changed: float


ASSUMPTIONS = (Assumption("quiet", 0.01, 0.001), Assumption("lively", 0.10, 0.01), Assumption("restless", 0.50, 0.05))


@dataclass(frozen=True)
class Plan:
    """Years of it under one assumption."""

    costs: Costs
    assumption: Assumption

    @property
    def bodies(self) -> float:
        """Different bodies."""
        return SNAPSHOTS * self.assumption.new

    @property
    def body_bytes(self) -> float:
        """What they take in the database, compressed."""
        return self.bodies * self.costs.phases[CHANGED].packed

    @property
    def versions(self) -> float:
        """Versions of prices, and as many changes of prices; those of models and endpoints are few beside them."""
        changed = self.costs.phases[CHANGED]
        return SNAPSHOTS * self.assumption.changed * changed.opened / changed.snapshots

    @property
    def version_bytes(self) -> float:
        """What the versions take, and the changes that are derived from them."""
        return self.versions * (self.costs.row_bytes("core.price") + self.costs.row_bytes("core.price_change"))

    @property
    def log_bytes(self) -> float:
        """What the rows take that every snapshot has."""
        return SNAPSHOTS * self.costs.snapshot_bytes

    @property
    def database_bytes(self) -> float:
        """All of it."""
        return self.body_bytes + self.version_bytes + self.log_bytes

    def cores(self, side: str) -> float:
        """How many cores are busy on average: ``client`` or ``server``."""
        seconds = self._each(lambda cost: float(getattr(cost, side)))
        after = settling(self.costs) if side == "server" else self.costs.phases[SAME].settle.client / self._same
        return PER_SECOND * (seconds + after)

    @property
    def wal_bytes(self) -> float:
        """Bytes of the log of Postgres in a day."""
        return SOURCES * PER_DAY * self._each(lambda cost: cost.wal)

    @property
    def reading_all(self) -> float:
        """Days of one core to read every snapshot again, as `etl verify` does."""
        return SNAPSHOTS * self._reading / _DAY

    @property
    def reading_new(self) -> float:
        """Days of one core to read each body once."""
        return self.bodies * self._reading / _DAY

    @property
    def _reading(self) -> float:
        """Seconds of a core to read and fold one body again."""
        return self.costs.verified[CHANGED].cpu / (self.costs.phases[CHANGED].snapshots + 1)

    @property
    def _same(self) -> int:
        return self.costs.phases[SAME].snapshots

    def _each(self, of: Callable[[Cost], float]) -> float:
        """The mean of something over all snapshots, by the shares of the three sorts."""
        shares = {
            SAME: 1 - self.assumption.new,
            REORDERED: self.assumption.new - self.assumption.changed,
            CHANGED: self.assumption.changed,
        }
        phases = self.costs.phases
        return sum(share * of(phases[what].load) / phases[what].snapshots for what, share in shares.items())


def models(costs: Costs) -> float:
    """Models of all sources: each has as many as the measured one."""
    return SOURCES * costs.rows["core.model"] / costs.rows["core.source"]


def settling(costs: Costs) -> float:
    """Seconds of Postgres after each load, which looks whether models changed: it grows with their versions."""
    small, large = costs.phases[SAME].settle, costs.again[SAME].settle
    few, many = small.server / costs.phases[SAME].snapshots, large.server / costs.again[SAME].snapshots
    return few + (many - few) * models(costs) / costs.rows["core.model"]


def linking(costs: Costs) -> float:
    """Seconds of a core to link them all anew, which follows every load that changes a model."""
    return costs.linked.cpu * models(costs) / costs.rows["core.model"]
