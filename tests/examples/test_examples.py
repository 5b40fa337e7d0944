"""Each example runs as it is, is short, and prints what the congruent model breaks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
NFR = re.compile(r"negative flip rate (\d+\.\d\d)% \[")


def test_there_is_one_for_each_framework() -> None:
    names = {example.name for example in EXAMPLES}
    assert names == {"huggingface_trainer.py", "lightning_module.py", "plain_torch.py", "skorch_classifier.py"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_fits_on_a_page(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_tells_what_both_models_break(example: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    found = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    plain, congruent = found.stdout.split("\nOn 450 samples ")[1:]
    rates = [float(NFR.search(text).group(1)) for text in (plain, congruent)]
    assert "congruent" in plain.splitlines()[-1].lower()  # what stands above the second report
    assert all(0 <= rate < 10 for rate in rates)
    accuracies = [float(re.search(r"([\d.]+)% with the new one", text).group(1)) for text in (plain, congruent)]
    assert all(accuracy > 80 for accuracy in accuracies)  # both models have learned their task
