"""What was changed in a browser comes back as a small difference of the files."""

import shutil
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from bi.superset import adopt, bundle


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the bundle that may be written to."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle.HERE, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr(bundle, "HERE", copy)
    return copy


def exported(folder: Path, **changed: dict[str, Any]) -> Path:
    """The bundle as Superset exports it, with these charts changed."""
    file = folder.parent / "export.zip"
    with ZipFile(BytesIO(bundle.archive())) as archive, ZipFile(file, "w") as export:
        for name in archive.namelist():
            content = yaml.safe_load(archive.read(name)) | changed.get(Path(name).stem, {})
            export.writestr(
                name.replace(".yaml", "_17.yaml"), yaml.dump({"cache_timeout": None} | content, sort_keys=False)
            )
    return file


def test_an_export_that_changed_nothing_changes_nothing(folder: Path) -> None:
    before = bundle.files()
    adopt.main(exported(folder))
    assert bundle.files() == before


def test_a_chart_that_was_renamed_changes_one_line_of_its_own_file(folder: Path) -> None:
    before = bundle.files()
    adopt.main(exported(folder, cuts={"slice_name": "Falls"}))
    after = bundle.files()
    assert [place for place in before if before[place] != after[place]] == ["charts/cuts.yaml"]
    assert after["charts/cuts.yaml"] == before["charts/cuts.yaml"].replace("slice_name: Cuts", "slice_name: Falls")


def test_a_new_chart_gets_a_file_named_by_its_title_without_what_superset_numbers(folder: Path) -> None:
    new = {"slice_name": "By author", "uuid": "00000000-0000-4000-8000-000000000001", "params": {"slice_id": 7}}
    adopt.main(exported(folder, cuts=new))
    written = yaml.safe_load((folder / "charts" / "by_author.yaml").read_text(encoding="utf-8"))
    assert written["slice_name"] == "By author"
    assert written["params"] == {}


def test_a_database_is_never_taken_back_because_its_address_is_somebodys_own(folder: Path) -> None:
    before = bundle.files()["databases/warehouse.yaml"]
    adopt.main(exported(folder, warehouse={"sqlalchemy_uri": "postgresql://somebody@elsewhere/etl"}))
    assert bundle.files()["databases/warehouse.yaml"] == before
