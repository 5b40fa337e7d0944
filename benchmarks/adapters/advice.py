"""What ``segue advise`` says of six real pairs of models: one record, and the page of the documentation.

    python -m benchmarks.adapters.advice            # six pairs; some minutes on two cores
    python -m benchmarks.adapters.advice --quick    # a smoke test on digits

20 Newsgroups: items and stored gallery are other texts of the train part, the queries are of the test part, on which
nothing is chosen. With too little data, 60 items and nothing else, ten draws are asked; the first that can't tell is
shown, and how many there are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.adapters.texts import DIGITS, GLOVE, L3, L6, Embedded, digits, newsgroups
from benchmarks.record import Claim, package_versions, read_rows, write_record
from segue.advise import Advice, Way, advise

PAGE = Path(__file__).parents[2] / "docs" / "advise.md"
ITEMS, GALLERY, QUERIES, STORED = 500, 2_000, 1_000, 100_000
SECONDS = {GLOVE: 0.0001, L3: 0.009, L6: 0.022}
"""About what each encoder takes for a text on two cores."""
STAY = (Way.CHANGE_NOTHING,)
MOVE = (Way.MAP_QUERIES, Way.MAP_GALLERY, Way.BLEND_QUERIES, Way.RE_EMBED)


@dataclass(frozen=True)
class Pair:
    """Two models, and what is known of which one is better.

    Attributes:
        name: What the pair shows.
        names: What the models are called.
        make: Makes the arguments of ``advise``.
        right: The answers that are right, the one to be shown first; ``None`` among them is "can't tell".
        draws: How many draws are asked; ``make`` takes a seed where there are several.
    """

    name: str
    names: tuple[str, str]
    make: Callable[..., dict[str, Any]]
    right: tuple[Way | None, ...]
    draws: int = 1


def sample(data: Embedded, items: int, gallery: int, queries: int, seed: int = 0) -> dict[str, Any]:
    """Draw items, a stored gallery and queries.

    Args:
        data: Both parts as both models embed them.
        items: How many items both models have embedded.
        gallery: How many are stored by the old model alone; 0 for none.
        queries: How many texts of the test part are queries; 0 for none.
        seed: Seed of the draw.

    Returns:
        Arguments of ``advise``.
    """
    draws = np.random.default_rng(seed)
    order = draws.permutation(len(data.labels[0]))
    both, stored = order[:items], order[items : items + gallery]
    later = draws.permutation(len(data.labels[1]))[:queries]
    given: dict[str, Any] = {"old": data.old[0][both], "new": data.new[0][both], "labels": data.labels[0][both]}
    if gallery:
        given |= {"gallery_old": data.old[0][stored], "gallery_labels": data.labels[0][stored]}
    if queries:
        given |= {"queries_old": data.old[1][later], "queries_new": data.new[1][later]}
        given["query_labels"] = data.labels[1][later]
    return given


def changed(data: Embedded, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Embedded:
    """Return the old model twice, the second time changed."""
    return Embedded(data.old, (change(data.old[0]), change(data.old[1])), data.labels)


def swapped(data: Embedded) -> Embedded:
    """Return the new model as the old one and the old one as the new."""
    return Embedded(data.new, data.old, data.labels)


def turned(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors turned at random."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(rows.shape[1], rows.shape[1])))[0]
    return np.asarray(rows @ turn, dtype=np.float32)


def noise(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return random vectors in place of these."""
    return np.random.default_rng(len(rows)).normal(size=rows.shape).astype(np.float32)


def whole(data: Embedded, old: str, new: str) -> dict[str, Any]:
    """Return a sample with everything, and the cost."""
    given = sample(data, ITEMS, GALLERY, QUERIES)
    return given | {"gallery_size": STORED, "seconds_per_item": SECONDS[new], "old_seconds_per_item": SECONDS[old]}


PAIRS = (
    Pair("An upgrade that is worth it", (L3, L6), lambda: whole(newsgroups(L3), L3, L6), MOVE),
    Pair("Another dimension", (GLOVE, L6), lambda: whole(newsgroups(GLOVE), GLOVE, L6), MOVE),
    Pair("An upgrade that is none", (L6, L3), lambda: whole(swapped(newsgroups(L3)), L6, L3), STAY),
    Pair(
        "The same model twice", (L6, "the turned one"),
        lambda: whole(changed(swapped(newsgroups(L3)), turned), L6, L6), STAY,
    ),
    Pair("A model of noise", (L6, "noise"), lambda: whole(changed(swapped(newsgroups(L3)), noise), L6, L6), STAY),
    Pair(
        "Too little data", (L3, L6), lambda seed: sample(newsgroups(L3), 60, 0, 0, seed), (None, Way.RE_EMBED), draws=10
    ),
)  # fmt: skip
SMOKE = (
    Pair(
        "An upgrade that is worth it", (DIGITS, "sharp"), lambda: sample(digits(), 60, 200, 100), (*MOVE, *STAY, None)
    ),
    Pair("The same model twice", (DIGITS, "turned"), lambda: sample(changed(digits(), turned), 60, 0, 0), STAY),
)


def run(pair: Pair) -> tuple[dict[str, Any], Advice]:
    """Ask for advice on a pair.

    Args:
        pair: The pair.

    Returns:
        A row of the record, and the advice.
    """
    began = time.perf_counter()
    found = [_asked(pair, seed) for seed in range(pair.draws)]
    answers = Counter(advice.recommended for advice in found)
    advice = next((one for one in found if one.recommended is pair.right[0]), found[0])
    right = [None if way is None else str(way) for way in pair.right]
    told = advice.to_dict()
    return {
        "pair": pair.name,
        "right": right,
        "as_it_should": set(answers) <= set(pair.right),
        "answers": {str(way or "can't tell"): count for way, count in answers.items()},
        "seconds": round(time.perf_counter() - began, 1),
        "text": str(advice),
        "advice": told,
    }, advice


def _asked(pair: Pair, seed: int) -> Advice:
    given = pair.make(seed) if pair.draws > 1 else pair.make()
    return advise(given.pop("old"), given.pop("new"), **given, names=pair.names)


def claims(rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Return what is claimed: the right answer to every pair, and no upgrade where there is none.

    Args:
        rows: The rows of the record.
    """
    stay = [row for row in rows if row["right"] == [str(Way.CHANGE_NOTHING)]]
    upgraded = sum(row["advice"]["recommended"] not in {None, *row["right"]} for row in stay)
    return [
        Claim(
            "advise.right_answers",
            f"Share of {len(rows)} real pairs of models of which segue advise says what is right",
            float(np.mean([row["as_it_should"] for row in rows])), None, None, "== 1",
        ),
        Claim(
            "advise.no_upgrade", "Same-model, no-better and garbage pairs for which segue advise recommends an upgrade",
            float(upgraded), None, None, "== 0",
        ),
    ]  # fmt: skip


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of the documentation, with what was said of each pair.

    Args:
        rows: The rows of the record.

    Returns:
        Markdown.
    """
    return HEAD + "".join(f"\n### {row['pair']}\n\n{_about(row)}\n\n```text\n{row['text']}\n```\n" for row in rows)


def _about(row: Mapping[str, Any]) -> str:
    if len(row["answers"]) == 1:
        return ABOUT[row["pair"]]
    told = ", ".join(f"{count} say: {answer}" for answer, count in sorted(row["answers"].items()))
    return f"{ABOUT[row['pair']]} Of {sum(row['answers'].values())} such draws, {told}. The first that can't tell:"


ABOUT = {
    "An upgrade that is worth it": "Both models have 384 dimensions; the new one is twice as deep.",
    "Another dimension": "50 dimensions before, 384 after: no vector of the one can be held against one of the other "
    "without a map.",
    "An upgrade that is none": "The models of the first pair, the other way round: newer is not better.",
    "The same model twice": "The new vectors are the old ones, turned at random, as after an update of a library that "
    "changed nothing but the axes.",
    "A model of noise": "The new vectors are random numbers: a broken model, or files in another order.",
    "Too little data": "The first pair again, but with 60 labelled items and nothing else.",
}
HEAD = Path(__file__).with_name("advice_page.md").read_text(encoding="utf-8")


def main(given: Sequence[str] | None = None) -> Path:
    """Run all pairs, and write the record and the page.

    Args:
        given: The command line; the process's own by default.

    Returns:
        The record.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two pairs on digits")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run")
    parser.add_argument("--page", action="store_true", help="only write the page anew from the record")
    parser.add_argument("--out", type=Path, help="folder of the record")
    options = parser.parse_args(given)
    if options.quick:
        options.out = options.out or Path(tempfile.mkdtemp(prefix="segue-benchmark-"))
    rows = read_rows("adapters", "advice", options.out) if options.resume or options.page else []
    done = {row["pair"] for row in rows}
    for pair in () if options.page else SMOKE if options.quick else PAIRS:
        if pair.name not in done:
            row, advice = run(pair)
            print(f"== {pair.name}: {row['seconds']} s\n{advice}\n", file=sys.stderr, flush=True)
            rows.append(row)
            path = _record(rows, options.out)
    path = _record(rows, options.out)
    if options.out is None:
        PAGE.write_text(page(rows), encoding="utf-8")
    return path


def _record(rows: Sequence[Mapping[str, Any]], out: Path | None) -> Path:
    return write_record(
        "adapters", "advice", seeds=[0], rows=rows, claims=claims(rows),
        versions=package_versions(["numpy", "scipy", "faiss-cpu"]),
        notes=["Seconds are of one thread on a machine with other work."], folder=out,
    )  # fmt: skip


if __name__ == "__main__":
    print(main())
