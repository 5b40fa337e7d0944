import subprocess
import sys

import pytest

import segue.adapters


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_closed_forms_need_neither_torch_nor_faiss_nor_scikit_learn():
    code = """
import sys, numpy as np
from segue.adapters import Adapter, Adjoint, LocalMixture, LowRankAffine, Procrustes, Ridge, ScaledProcrustes, Slerp
Slerp(adapter=LocalMixture(regions=2)).fit(np.eye(3), np.eye(3)).transform(np.eye(3))
print({'torch', 'faiss', 'sklearn'} & set(sys.modules))
"""
    assert run(code).stdout.strip() == "set()"


def test_every_name_that_is_offered_is_there():
    for name in segue.adapters.__all__:
        assert getattr(segue.adapters, name).__name__ == name
    with pytest.raises(AttributeError, match=r"^module 'segue.adapters' has no attribute 'Rigde'$"):
        segue.adapters.Rigde  # ruff: ignore[useless-expression]
