"""An embedding model whose queries can search the old gallery: what ``segue train`` does for an update of that kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from segue.cli.theirs import told_as_theirs
from segue.cli.train_folder import look_back, say
from segue.cli.update_file import OfTest, UpdateFile
from segue.errors import InputError

if TYPE_CHECKING:
    from segue.cli.compatible_looks import Look
    from segue.cli.train_options import TrainOptions
    from segue.compatible.recipes import BestOnOldGallery, Outcome, Tried
    from segue.retrieval import CrossTest

FILES = "model.safetensors", "outcome.json", "explanation.md", "cross-test.json", "front.html"
OF_TEST = OfTest(("old_test",), "embeddings", "(n, d_old)")
CLAIM = {"kind": "compatible"}


@dataclass(frozen=True)
class Compatible:
    """What is asked of a compatible training.

    Attributes:
        methods: What is tried.
        rule: How the pick is made.
        measure: What quality is.
    """

    methods: list[str]
    rule: BestOnOldGallery
    measure: str

    files: ClassVar = FILES
    of_test: ClassVar = OF_TEST

    @classmethod
    def asked(cls, options: TrainOptions) -> Compatible:
        """Read what was typed.

        Args:
            options: What was typed.

        Returns:
            What is asked.

        Raises:
            InputError: If options are wrong, or belong to the other kind of training.
        """
        from segue.compatible.recipes import METHODS, BestOnOldGallery
        from segue.congruent.recipes import METHODS as OTHERS
        from segue.retrieval.measures import named_measure

        theirs = {
            "--budget": options.budget,
            "--trainings": options.trainings,
            "--max-nfr": options.max_nfr,
            "--passes": options.passes,
        }
        stray = next((name for name, value in theirs.items() if value is not None), None)
        if stray is not None:
            raise InputError(
                f"{stray} is for congruent training (segue.congruent.recipes), and this update is a compatible one; "
                f"leave it out"
            )
        options.refuse_methods(METHODS, "compatible", OTHERS)
        try:
            rule = BestOnOldGallery() if options.margin is None else BestOnOldGallery(options.margin)
        except InputError as error:
            raise InputError(f"--{error}") from error
        return cls(options.methods, rule, named_measure(options.measure or "cmc@1").name)

    def begin(self, file: UpdateFile, folder: Path, out: str) -> None:
        """Claim the folder, and say what will be done.

        Args:
            file: The user's file.
            folder: The folder.
            out: The folder as it was typed.

        Raises:
            InputError: If the folder holds the runs of another kind of update, or the update or the measure is not as
                it should be.
        """
        from segue.compatible.recipes import Workshop
        from segue.compatible.recipes.files import read_json, write_json

        update: Any = file.update
        Workshop(update, self.measure)  # refuses what it can see before a folder is claimed
        claimed = folder / "update.json"
        if not claimed.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_json(claimed, CLAIM)
        elif read_json(claimed, "name another folder") != CLAIM:
            raise InputError(f"--out: {str(folder)!r} holds the runs of a congruent training; name another folder")
        say(f"Training with {', '.join(self.methods)}; runs are kept in {out}, and Ctrl-C loses nothing.")
        look_back(file, folder, out)

    def train(self, file: UpdateFile, folder: Path, with_test: bool, command: str) -> tuple[dict[str, Any], str]:
        """Train, pick, measure, and write everything into the folder.

        Args:
            file: The user's file.
            folder: The folder.
            with_test: Whether the pick is measured on test samples.
            command: What was typed, for the pages.

        Returns:
            What came of it: plain values, and words.
        """
        from segue.cli.compatible_looks import looked
        from segue.cli.compatible_measuring import tested
        from segue.compatible.recipes import train

        update: Any = file.update
        methods = "auto" if self.methods == ["auto"] else self.methods
        outcome = train(update, methods, rule=self.rule, measure=self.measure, folder=folder, after_step=_told_step)
        outcome.save(folder)  # before test samples are asked for: what can go wrong there costs no training
        if not with_test:
            return _written(outcome, None, folder, command)
        samples, known = file.test(OF_TEST.names)
        told = "old_test" if file.old is None or not file.old.has_test else str(Path(file.old.name) / "test.npy")
        with told_as_theirs(file.path, "measuring the test samples"):
            found = tested(outcome, update, samples, known.get("old"), told)
            looks = looked(folder, outcome, self.methods, samples)
        return _written(outcome, found, folder, command, looks)

    def more(self, outcome: dict[str, Any], folder: Path) -> str:
        """Return what a reader must know beside the explanation.

        Args:
            outcome: What came of it.
            folder: The folder.

        Returns:
            Nothing: the explanation says all.
        """
        return ""


def _told_step(tried: Tried) -> None:
    made = f"{tried.candidates:,} candidate{'s' * (tried.candidates != 1)}"
    cost = f"{tried.trainings:g} training{'s' * (tried.trainings != 1)}, {tried.seconds:.3g} seconds"
    say(f"{tried.method}: {made} ({cost}){f'; {tried.note}' if tried.note else ''}")


def _written(
    outcome: Outcome, test: CrossTest | None, folder: Path, command: str, looks: Sequence[Look] = ()
) -> tuple[dict[str, Any], str]:
    from segue.cli.compatible_looks import told_looks
    from segue.cli.outputs.crossed import cross_json
    from segue.cli.outputs.machine import to_json
    from segue.compatible.recipes.files import write_text
    from segue.report.compatible_front import write_compatible_front

    found = {
        **outcome.to_dict(),
        "test": None if test is None else test.to_dict(),
        "test_looks": [asdict(look) for look in looks],
    }
    words = outcome.explain()
    if test is None:
        shown, note = outcome.cross_test, "measured on the validation samples that the pick was chosen on"
    else:
        shown, note = test, f"measured on test samples, {told_looks(looks)}"
        words = f"{words}\n\nOn {test.queries:,} test samples, measured {told_looks(looks)}:\n{test}"
    write_text(folder / "outcome.json", to_json(found))
    write_text(folder / "explanation.md", words + "\n")
    write_text(folder / "cross-test.json", cross_json([shown], [note]))
    write_compatible_front(found, folder / "front.html", command=command)
    return found, words
