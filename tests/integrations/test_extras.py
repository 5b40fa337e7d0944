"""What a missing library is called, and that no integration needs another one's library."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Module, the library that it can't do without, the extra, and libraries of other extras that it does without.
MODULES = {
    "torchmetrics": ("torchmetrics", "torchmetrics", {"lightning", "accelerate", "mlflow"}),
    "lightning": ("lightning", "lightning", {"accelerate", "mlflow"}),
    "huggingface": ("transformers", "huggingface", {"torchmetrics", "lightning", "mlflow", "sklearn"}),
    "mlflow": ("mlflow", "mlflow", {"torch", "torchmetrics", "lightning", "transformers"}),
    "sklearn": (None, None, {"torch", "torchmetrics", "lightning", "transformers", "mlflow"}),
}

CODE = '''
import sys
from importlib import import_module

from importlib.machinery import PathFinder

class Finder:
    """Finds all that is installed but what is said to be absent."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.split(".")[0] in {absent!r} else PathFinder.find_spec(name, path, target)

    @staticmethod
    def find_distributions(*arguments, **options):
        return PathFinder.find_distributions(*arguments, **options)

sys.meta_path = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
from segue.errors import MissingExtraError
try:
    import_module("segue.integrations.{module}")
    print("imported")
except MissingExtraError as error:
    print(error)
'''


def outcome(module: str, absent: set[str]) -> str:
    code = CODE.format(module=module, absent=sorted(absent))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("module", [name for name, (library, _, _) in MODULES.items() if library])
def test_a_missing_library_is_told_with_its_extra(module: str) -> None:
    library, extra, _ = MODULES[module]
    told = outcome(module, {library})
    assert told.startswith(f"segue.integrations.{module} needs {library!r}, which can't be imported")
    assert told.endswith(f"install it with: pip install 'segue[{extra}]'")


@pytest.mark.parametrize("module", MODULES)
def test_an_integration_needs_its_own_extra_alone(module: str) -> None:
    assert outcome(module, MODULES[module][2]) == "imported"
