"""The plan follows from the measured costs by plain multiplication; else the document says what nobody measured."""

import pytest

from benchmarks._scaling import plan, report
from benchmarks._scaling.costs import PER_SNAPSHOT, Costs
from benchmarks._scaling.life import CHANGED, REORDERED, SAME, Phase
from benchmarks._scaling.meter import Cost
from benchmarks._scaling.plan import Assumption, Plan
from benchmarks._speed.environments import ROOT


@pytest.fixture
def costs() -> Costs:
    """A machine of round figures: a row is 100 bytes, a body 10,000, a load 10 ms on either side."""
    tables = (
        *PER_SNAPSHOT,
        "core.source",
        "core.model",
        "core.endpoint",
        "core.price",
        "core.price_change",
        "core.applied",
    )
    load = Cost(wall=0.1, client=0.1, server=0.1, wal=10_000, sizes={"raw.content": 100_000})
    settle = Cost(client=0.01, server=0.02)
    return Costs(
        phases={what: Phase(10, 400_000, load, settle, opened=50, closed=50) for what in (SAME, REORDERED, CHANGED)},
        again={SAME: Phase(10, 400_000, load, Cost(server=0.12))},
        verified={CHANGED: Cost(client=0.9, server=0.2)},
        linked=Cost(client=1.0),
        rows=dict.fromkeys(tables, 1000) | {"core.source": 10},
        sizes=dict.fromkeys(tables, 100_000),
    )


def test_a_plan_multiplies_what_was_measured(costs: Costs) -> None:
    found = Plan(costs, Assumption("tried", new=0.1, changed=0.01))
    assert plan.SNAPSHOTS == 525_600_000
    assert found.bodies == pytest.approx(52_560_000)
    assert found.body_bytes == pytest.approx(52_560_000 * 10_000)
    assert found.versions == pytest.approx(5_256_000 * 5)
    assert found.version_bytes == pytest.approx(5_256_000 * 5 * 200)
    assert found.log_bytes == pytest.approx(525_600_000 * 500)
    assert found.wal_bytes == pytest.approx(288_000 * 1_000)
    assert found.reading_new == pytest.approx(52_560_000 * 0.1 / 86_400)
    assert found.reading_all == pytest.approx(10 * found.reading_new)


def test_what_follows_a_load_grows_with_all_models(costs: Costs) -> None:
    assert plan.models(costs) == 100_000
    assert plan.linking(costs) == pytest.approx(100.0)
    assert plan.settling(costs) == pytest.approx(0.002 + 0.01 * 100)
    found = Plan(costs, Assumption("tried", new=0.1, changed=0.01))
    assert found.cores("client") == pytest.approx(plan.PER_SECOND * 0.011)
    assert found.cores("server") == pytest.approx(plan.PER_SECOND * (0.01 + 1.002))


def test_the_figures_have_a_place_in_the_document(costs: Costs) -> None:
    document = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert [document.count(marker) for marker in report.MARKERS] == [1, 1]
    assert "525.6 million snapshots" in report.computed(costs)
    assert "1.00 × that of the small warehouse" in report.measured(costs)
