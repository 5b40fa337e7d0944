import inspect
import subprocess
import sys

from segue import retrieval


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_all_that_is_public_is_there_in_order_and_has_words():
    assert list(retrieval.__all__) == sorted(retrieval.__all__)
    for name in retrieval.__all__:
        assert inspect.getdoc(getattr(retrieval, name)), name


def test_measuring_needs_no_torch_and_only_searching_needs_faiss():
    code = "import sys, segue.retrieval; print({'torch', 'faiss'} & set(sys.modules))"
    assert run(code).stdout.strip() == "set()"
    code = "import sys; sys.modules['faiss'] = None; import segue.retrieval as r; r.search([[1.0]], [[1.0]], 1)"
    failed = run(code)
    assert "MissingExtraError: the search needs 'faiss'" in failed.stderr
    assert "install it with: pip install 'segue[retrieval]'" in failed.stderr
