"""The floors of the house: who may import whom, as pyproject.toml says it."""

import subprocess
import sys

from tests.processes import ROOT

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def test_a_module_imports_its_own_part_or_a_lower_floor() -> None:
    done = subprocess.run([sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
