"""The peer's side of the benchmark of slice discovery; runs in the peer's own environment.

    python modeldiff_side.py TASKS.pickle RESULTS.json [--stable N]

modeldiff-ml is used as its README does: a data frame of features, labels and both models' probabilities, its default
configuration, and its significant regression regions taken as what it reports. All three of its classification
metrics are run, and its slower stability selection on the first N tasks.
"""

import argparse
import json
import pathlib
import pickle
import time
import warnings
from importlib import metadata

import pandas as pd
from modeldiff import ModelDiffConfig, compare_predictions, compare_stable_predictions


def regions(compare, task, metric):
    """Return the reported regions' conditions and the seconds taken."""
    frame = pd.DataFrame(task["columns"])
    start = time.perf_counter()
    report = compare(
        task["old"],
        task["new"],
        frame,
        task["labels"],
        task="binary_classification",
        metric=metric,
        config=ModelDiffConfig(random_state=task["seed"]),
    )
    seconds = time.perf_counter() - start
    found = report.regressions(significant_only=True)
    told = [
        [[c.feature, c.operator, getattr(c.value, "item", lambda c=c: c.value)()] for c in r.conditions] for r in found
    ]
    return {"regions": told, "seconds": seconds}


def main():
    """Run the peer on all tasks of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks")
    parser.add_argument("results")
    parser.add_argument("--stable", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with pathlib.Path(arguments.tasks).open("rb") as file:
        tasks = pickle.load(file)
    answers = []
    for number, task in enumerate(tasks):
        answer = {
            f"modeldiff {metric}": regions(compare_predictions, task, metric)
            for metric in ("accuracy", "brier", "log_loss")
        }
        if number < arguments.stable:
            answer["modeldiff stable accuracy"] = regions(compare_stable_predictions, task, "accuracy")
        answers.append(answer)
    versions = {name: metadata.version(name) for name in ("modeldiff-ml", "pandas")}
    with pathlib.Path(arguments.results).open("w", encoding="utf-8") as file:
        json.dump({"versions": versions, "answers": answers}, file)


if __name__ == "__main__":
    main()
