"""The table of all methods, as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, Any]

HEAD = """# Which method is worth using when

Every method and every baseline of [congruent training](congruent.md) on the same updates: negative flips and errors on
test samples, mean over {seeds} seeds (in brackets the standard deviation between seeds). Every setting was chosen on
validation samples; see `benchmarks/congruent/methods.py`, which wrote this page from its record, for what exactly is
done. *NFR* is the share of all test samples that break, *relative NFR* is 1 for independent errors, *trainings* is what
the whole sweep of the method costs in plain trainings, *passes* is the number of models that run at prediction time.

What to take from it:

- **The new model has the old one's layers, as many units or more**: begin at the old weights, hold what was right, and
  take the time. `patient-distillation` breaks less than half as much as independent training at an accuracy that is
  not lower, for ten trainings; `patient-fine-tuning` does nearly as well without an ensemble, for six. With two or
  three trainings, `congruent-fine-tuning` and `congruent-soup` break even less, and lose a third of a point of
  accuracy: where fine-tuning ends below a fresh training, as on digits, so do the models in between.
- **Time alone is no remedy**: as many epochs without the old model (`longer-training`) gain no accuracy and break a
  quarter more.
- **Another encoder**, whose inputs are others, so that no weights can be inherited: a single model saves a tenth.
  There, and wherever **two models may run at prediction time**, averaging both models' probabilities, or switching only
  where it is worth it, halves the flips without any training beyond the new model's, and often gains accuracy.
- **One recipe, not all**: choosing anew in each case among all these methods, on validation samples, is no better than
  staying with the best one, for several times its trainings. The more is tried, the more the winner owes to luck.
- **From fresh weights**: focal logit matching and focal distillation save a sixth, plain distillation, reweighting,
  gating and churn distillation a tenth; take them for what else they do. An ensemble is a quarter better and the most
  accurate of all, at its price. ELODI needs an old model that was distilled from an ensemble, too; against a given old
  model it brings nothing here.
"""


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the page.

    Args:
        rows: The rows of the record.
        path: The page.
    """
    path.write_text(page(rows), encoding="utf-8")


def page(rows: Sequence[Row]) -> str:
    """Return the page as Markdown."""
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    parts = [HEAD.format(seeds=len({row["seed"] for row in rows})), overview(rows)]
    parts += [of_scenario([row for row in rows if row["scenario"] == name], name) for name in scenarios]
    return "\n".join(parts)


def overview(rows: Sequence[Row]) -> str:
    """Return each method over all scenarios where it applies, relative to independent training in the same ones."""
    plain = {(row["scenario"], row["seed"]): row for row in rows if row["method"] == "independent"}
    lines = [
        "## All scenarios",
        "",
        "Relative to independent training in the same scenario and seed; mean over scenarios and seeds.",
        "",
        "| method | scenarios | NFR over independent | accuracy gained, points | trainings | passes |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    told = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        pairs = [(row, plain[row["scenario"], row["seed"]]) for row in own]
        flips = float(np.mean([row["nfr"] / other["nfr"] if other["nfr"] else 1.0 for row, other in pairs]))
        gained = 100 * float(np.mean([other["error_rate"] - row["error_rate"] for row, other in pairs]))
        cost = float(np.mean([row["trainings"] for row in own]))
        passes = max(row["passes"] for row in own)
        scenarios = len({row["scenario"] for row in own})
        told.append((flips, f"| {method} | {scenarios} | {flips:.2f} | {gained:+.2f} | {cost:.1f} | {passes} |"))
    return "\n".join([*lines, *(line for _, line in sorted(told)), ""])


def of_scenario(rows: Sequence[Row], name: str) -> str:
    """Return the table of one scenario, the fewest flips first."""
    old = 1 - float(np.mean([row["accuracy_old"] for row in rows]))
    lines = [
        f"## {name}",
        "",
        f"Error rate of the old model: {old:.2%}.",
        "",
        "| method | error rate | NFR | relative NFR | PFR | trainings | passes |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    told = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        cells = [spread([row[key] for row in own]) for key in ("error_rate", "nfr")]
        relative = float(np.mean([row["relative_nfr"] for row in own]))
        pfr = float(np.mean([row["pfr"] for row in own]))
        cost = float(np.mean([row["trainings"] for row in own]))
        line = f"| {method} | {cells[0]} | {cells[1]} | {relative:.3f} | {pfr:.2%} | {cost:g} | {own[0]['passes']} |"
        told.append((float(np.mean([row["nfr"] for row in own])), line))
    return "\n".join([*lines, *(line for _, line in sorted(told)), ""])


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation in percent."""
    mean = f"{np.mean(values):.2%}"
    return mean if len(values) < 2 else f"{mean} ({100 * np.std(values, ddof=1):.2f})"
