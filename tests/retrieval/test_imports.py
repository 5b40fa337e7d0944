import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_measuring_needs_no_torch_and_only_searching_needs_faiss():
    code = "import sys, segue.retrieval; print({'torch', 'faiss'} & set(sys.modules))"
    assert run(code).stdout.strip() == "set()"
    code = "import sys; sys.modules['faiss'] = None; import segue.retrieval as r; r.search([[1.0]], [[1.0]], 1)"
    failed = run(code)
    assert "MissingExtraError: the search needs 'faiss'" in failed.stderr
    assert "install it with: pip install 'segue[retrieval]'" in failed.stderr
