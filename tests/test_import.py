import subprocess
import sys

import pytest

HEAVY = ("torch", "duckdb", "jinja2", "pandas", "polars", "pyarrow", "pydantic", "typer", "rich", "PIL", "sklearn")


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import segue",
        "import segue; segue.compare",
        "from segue.flips import compare, compare_scores; compare([0, 1], [0, 1], [0, 0])",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement):
    assert modules_after(statement).isdisjoint(HEAVY)


def test_what_needs_duckdb_or_pydantic_is_there_when_asked_for():
    assert "duckdb" in modules_after("from segue.flips import compare_tables; import duckdb")
    assert "pydantic" in modules_after("from segue.flips import Policy, decide")


def test_an_unknown_name_is_an_attribute_error():
    import segue

    with pytest.raises(AttributeError, match="no attribute 'compair'"):
        _ = segue.compair


def test_the_package_is_the_command_line():
    asked = subprocess.run([sys.executable, "-m", "segue", "--version"], capture_output=True, text=True, check=True)
    assert asked.stdout.strip()
