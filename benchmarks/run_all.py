"""Run every benchmark, one after the other; what a script is given goes to each of them (``--quick``, ``--resume``)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent


def main() -> int:
    """Run them all.

    Returns:
        The number of benchmarks that failed.
    """
    scripts = sorted(path for path in ROOT.glob("*/*.py") if path.name != "__init__.py" and path.parent.name != "peers")
    failed = []
    for number, path in enumerate(scripts, start=1):
        module = f"benchmarks.{path.parent.name}.{path.stem}"
        print(f"[{number}/{len(scripts)}] {module}", file=sys.stderr, flush=True)
        if subprocess.run([sys.executable, "-m", module, *sys.argv[1:]], cwd=ROOT.parent, check=False).returncode:
            failed.append(module)
    for module in failed:
        print(f"failed: {module}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
