"""Every benchmark has a smoke run that works, and writes a record whose claims follow from its values."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.record import meets

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(
    f"benchmarks.{path.parent.name}.{path.stem}"
    for path in (ROOT / "benchmarks").glob("*/*.py")
    if "def main(" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_smoke_run_of_a_benchmark_writes_a_record(script, tmp_path):
    command = [sys.executable, "-m", script, "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    record = json.loads((tmp_path / f"{script.rsplit('.', 1)[1]}.json").read_text(encoding="utf-8"))
    assert record["rows"]
    assert record["claims"]
    for claim in record["claims"]:
        assert claim["holds"] == (claim["value"] is not None and meets(claim["value"], claim["bar"]))


def test_all_benchmarks_are_found():
    assert {"benchmarks.flips.coverage", "benchmarks.flips.discovery", "benchmarks.flips.scale"} <= set(SCRIPTS)
