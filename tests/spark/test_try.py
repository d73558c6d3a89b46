import random, time
import pytest
from tests.load.test_permutations import thirty_worlds
from tests.load.believing import load
from tests.load.worlds import WORLDS
from etl.spark.session import spark_session
from etl.spark.rebuild import rebuild, Target
from etl.spark import plan
from etl.spark.bodies import Warehouse
from etl.load import against


def test_it(engine, tmp_path):
    t = time.time()
    for day, world in WORLDS.items():
        load(engine, "s", day, world)
    for n in range(3):
        for day, world in thirty_worlds(random.Random(n)).items():
            load(engine, f"w{n}", day, world)
    print("loaded", time.time() - t)
    t = time.time()
    names = ["s", "w0", "w1", "w2"]
    with spark_session("local[2]", {}) as spark:
        print("started", time.time() - t)
        t = time.time()
        url = engine.url.render_as_string(hide_password=False)
        found = rebuild(
            spark,
            plan.from_warehouse(engine, names),
            Warehouse(url),
            Target(output=str(tmp_path / "o"), schema="scratch", engine=engine),
        )
        print(found, time.time() - t)
        t = time.time()
        for n in names:
            with engine.connect() as c:
                v = against.verify(c, n, "scratch")
                print(v)
                assert v.agrees
        found = rebuild(
            spark,
            plan.from_warehouse(engine, names),
            Warehouse(url),
            Target(output=str(tmp_path / "o2"), schema="scratch", engine=engine),
        )
        print("again", time.time() - t)
        t = time.time()
