"""``etl export``: what it prints, and what it refuses in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.cli.conftest import Run, named
from tests.database.roles import owner_of
from tests.lake.exporting import believed, fill, rows
from tests.processes import environment


@pytest.fixture
def filled(warehouse: Engine) -> Engine:
    """A warehouse with a history of the sources s and t."""
    fill(warehouse)
    fill(warehouse, "t")
    return warehouse


def test_the_history_is_exported_into_a_folder(etl: Run, filled: Engine, folder: Path) -> None:
    ended = etl("export")
    assert ended.status == 0
    header, first, *_ = ended.out.splitlines()
    assert header.split() == ["table", "rows", "files", "bytes"]
    expected = believed(filled, "price_history")
    assert first.split()[:3] == ["price_history", str(len(expected)), "4"]
    assert rows(folder / "export", "price_history") == expected
    files = len(list((folder / "export").rglob("*.parquet")))
    assert ended.err.startswith(f"{folder}/export: {files} files, ")
    assert ended.err.endswith(f" bytes, {files} of them written now\n")
    again = json.loads(etl("export", "--json").out)
    assert (again["place"], again["format"], again["written"]) == (f"{folder}/export", "parquet", 0)
    assert again["tables"][0]["rows"] == len(expected)


def test_sources_may_be_named(etl: Run, filled: Engine, folder: Path) -> None:
    del filled
    assert etl("export", "-o", "one", "--source", "t").status == 0
    assert {row["source"] for row in rows(folder / "one", "price_history")} == {"t"}
    assert etl("export", "-o", "two", "--source", "u").err.startswith("etl: no source u; there is bifrost, ")
    ended = etl("export", "-o", "one")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "holds an export of t: name another place" in ended.err


@pytest.mark.slow
def test_tables_of_iceberg_come_with_their_catalog(
    etl: Run, filled: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert etl("export", "-o", "lake", "--format", "iceberg").status == 0
    assert rows(folder / "lake", "price_history") == believed(filled, "price_history")
    assert (folder / "lake" / "catalog.db").is_file()
    monkeypatch.setenv("CATALOG_DATABASE_URL", named(owner_of(filled.url)))
    assert etl("export", "-o", "other", "--format", "iceberg").status == 0
    assert not (folder / "other" / "catalog.db").exists()


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        (("-o", ""), 2, "--output is empty"),
        (("-o", "nope://x"), 2, "nope://x is no place for an export"),
        (("-o", "file:///"), 2, "file:/// is no place for an export: name a bucket, and a folder in it"),
        (("-o", "file://elsewhere/x"), 2, "Unsupported hostname"),
        (("-o", "nope://me:planted@x"), 2, "[secret]@x is no place for an export"),
        (("-o", "/dev/null"), 1, "/dev/null"),
        (("-o", "/proc/nothing/here"), 1, "No such file or directory"),
        (("--catalog", "postgres://x"), 2, "add --format iceberg"),
        (("--format", "iceberg", "-o", "memory://x"), 2, "can hold no catalog"),
        (
            ("--format", "iceberg", "-o", "memory://me:planted@x", "--catalog", "postgres://x"),
            2,
            "leave the credentials out",
        ),
        (("--format", "iceberg", "--catalog", "mysql://me:planted@x/y"), 2, "only PostgreSQL is supported"),
        (("--format", "csv"), 2, "csv"),
    ],
)
def test_what_cannot_be_is_one_line(
    etl: Run, warehouse: Engine, typed: tuple[str, ...], status: int, said: str
) -> None:
    del warehouse
    ended = etl("export", *typed)
    assert (ended.status, ended.out) == (status, "")
    assert said in ended.err
    assert "planted" not in ended.err
    assert len(ended.complaints) == 1 or "Usage" in ended.err


def test_a_folder_with_other_things_is_left_alone(etl: Run, warehouse: Engine, folder: Path) -> None:
    del warehouse
    (folder / "home.txt").write_text("mine")
    ended = etl("export", "-o", ".")
    assert (ended.status, ended.err) == (2, f"etl: {folder} holds other things and no export: name an empty folder\n")
    assert [path.name for path in folder.iterdir()] == ["home.txt"]


@pytest.mark.parametrize("missing", ["pyarrow", "pyiceberg"])
def test_without_the_extra_it_says_how_to_install_it(folder: Path, missing: str) -> None:
    script = f"import sys; sys.modules['{missing}'] = None; sys.argv[1:] = ['export', '--format', 'iceberg']"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; from etl.cli import main; main()"],
        cwd=folder,
        env=environment(folder, DATABASE_URL="postgres://nobody@127.0.0.1:9/nothing"),
        capture_output=True,
        text=True,
        check=False,
    )
    how = "which is not installed: install it by pip install 'llm-price-warehouse[lake]'"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"etl: etl export needs {missing}, {how}\n"
