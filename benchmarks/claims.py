"""The table of claims: every number of the documentation, the record it comes from, and whether it meets its bar.

``python -m benchmarks.claims --check`` recomputes ``holds`` of every claim from its value and bar, prints the claims
that do not hold, and fails if a record or ``docs/claims.md`` says something else. ``--write`` writes the table anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, meets

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"
HEAD = """# Claims

Every number that Segue states about itself has a script that measures it and a record of the run that produced it.
A bar was set before anything was measured; where it was not reached, the table says so. `make bench` runs the scripts
anew, `make claims` recomputes this page's last column.
"""


def records() -> dict[Path, dict[str, Any]]:
    """Return every record by its path, in the order of the paths."""
    return {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*/*.json"))}


def page(found: dict[Path, dict[str, Any]]) -> str:
    """Return the page of all claims.

    Args:
        found: The records by path.

    Returns:
        The page in Markdown.
    """
    parts = [HEAD]
    for path, record in found.items():
        script = f"benchmarks/{path.parent.name}/{path.stem}.py"
        parts.append(
            f"## `{script}`\n\n"
            f"Run on {record['date'][:10]} on {record['machine']}; {len(record['seeds'])} seeds. "
            f"Record: `benchmarks/results/{path.parent.name}/{path.name}`.\n\n"
            "| claim | what was measured | value | interval | bar | holds |\n|---|---|---|---|---|---|"
        )
        parts[-1] += "".join(
            f"\n| `{claim['name']}` | {claim['statement']} | {_number(claim['value'])} | {_interval(claim)} "
            f"| {claim['bar']} | {'yes' if _holds(claim) else '**no**'} |"
            for claim in record["claims"]
        )
        parts[-1] += "\n"
    return "\n".join(parts)


def main() -> int:
    """Check or write the page.

    Returns:
        The exit code: 1 where a record or the page disagrees with the values.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail if the page or a record disagrees with the values")
    mode.add_argument("--write", action="store_true", help="write docs/claims.md anew")
    found = records()
    if parser.parse_args().write:
        PAGE.write_text(page(found), encoding="utf-8")
        return 0
    wrong = 0
    for path, record in found.items():
        for claim in record["claims"]:
            if claim["holds"] != _holds(claim):
                print(f"{path.name}: claim {claim['name']} says holds={claim['holds']}, its value says otherwise")
                wrong += 1
            if not _holds(claim):
                print(f"does not hold: {claim['name']}: {_number(claim['value'])}, bar {claim['bar']}")
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page(found):
        print("docs/claims.md differs from the records; write it anew with: python -m benchmarks.claims --write")
        wrong += 1
    total = sum(len(record["claims"]) for record in found.values())
    print(f"{total} claims in {len(found)} records")
    return 1 if wrong else 0


def _holds(claim: dict[str, Any]) -> bool:
    return claim["value"] is not None and meets(claim["value"], claim["bar"])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"


def _interval(claim: dict[str, Any]) -> str:
    return "" if claim["low"] is None else f"{_number(claim['low'])} to {_number(claim['high'])}"


if __name__ == "__main__":
    sys.exit(main())
