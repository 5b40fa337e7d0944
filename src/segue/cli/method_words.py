"""What each way to train a successor does, in a line: for ``segue train --list``."""

from __future__ import annotations

from segue.cli.outputs.visible import visible
from segue.compatible.recipes import METHODS as COMPATIBLE
from segue.compatible.recipes import Method as CompatibleMethod
from segue.compatible.recipes.training import AUTOMATIC
from segue.congruent.recipes.methods import METHODS, Method

WORDS = {
    "independent": "Fresh weights, labels alone: the unconstrained model that all others are compared with.",
    "longer-training": "Fresh weights and more epochs, without the old model.",
    "fine-tuning": "On from the old weights, labels alone: often half the remedy.",
    "distillation": "Fresh weights; follows the old model's probabilities on every sample.",
    "reweighting": "Fresh weights; samples that the old model had right count more.",
    "focal-distillation": "Fresh weights; follows the old probabilities, above all where the old model was right.",
    "focal-logit-matching": "The same with the distance of the logits: fewer settings to get wrong.",
    "logit-difference-inhibition": "Fresh weights; only differences of logits beyond a margin count.",
    "anchored-distillation": "Fresh weights; softened old answers where they were right, smoothed labels elsewhere.",
    "churn-distillation": "Fresh weights; the target is a mean of label and old probabilities: against any change.",
    "gated-distillation": "Fresh weights; follows the old model on the samples where it is the better one.",
    "new-error": "Fresh weights; errors on what the old model had right cost more.",
    "strict-imitation": "Fresh weights; the old answer is a second label where it was right.",
    "margin-preserving": "Fresh weights; old classes are protected from new ones by a margin.",
    "interpolation": "Weights between the old model and one fine-tuned from it, over all shares.",
    "fisher-interpolation": "The same; weights that the old answers depend on stay closer to the old model.",
    "soup-interpolation": "The same, towards the mean of several fine-tuned models.",
    "ensemble": "The mean of several new models: all run at prediction time.",
    "most-centric": "Of several new models the one whose answers are closest to their mean.",
    "elodi": "A student of an ensemble of new models; pays off when the old model was one, too.",
    "averaging": "The weighted mean of old and new probabilities: both run at prediction time.",
    "switching": "The old answer unless the new one is likelier by a threshold: both run at prediction time.",
    "congruent-fine-tuning": "Fine-tuning that protects what was right, then weights in between.",
    "congruent-soup": "The mean of such fine-tuned models, then weights in between.",
    "congruent-distillation": "A student of new models that protects what was right, then weights in between.",
    "patient-fine-tuning": "On from the old weights for long, holding what was right, then weights in between.",
    "patient-distillation": "A student of old and new models, trained for long, then weights in between.",
}


COMPATIBLE_WORDS = {
    "independent": "Labels alone, with a linear and with a cosine head: the paragon that all others are compared with.",
    "influence": "The old head must classify the new embeddings, too; without one, a head is fitted to old vectors.",
    "influence-cosine": "The same with cosine heads, so that lengths of embeddings don't matter.",
    "influence-distillation": "The old head must say of the new embedding what it says of the old one.",
    "regression": "Each new embedding is drawn to the old embedding of the same sample: repeats old mistakes.",
    "contrastive": "Old embeddings of the sample's class are nearer than those of other classes.",
    "triplet": "The own old embedding is nearer than the nearest old one of another class.",
    "regression-alleviating": "Contrast in which new embeddings of other classes are pushed away as well.",
    "boundary-alignment": "New embeddings stay within the old regions of their classes.",
    "adversarial": "The same with elastic boundaries, and a judge that can't tell new from old.",
    "mixing": "Old embeddings take the place of some new ones before the new head.",
    "basis-transformation": "The old space is kept whole, and extra dimensions hold what is new.",
    "stationary": "A head that is fixed once and for all, with room for classes to come.",
    "old-neighbours": "Queries go where the stored vectors of their class are by themselves.",
}


def told_methods() -> str:
    """Return the methods of both kinds of training, with what they do, what they need and where they come from.

    Returns:
        Some lines for each.
    """
    head = "auto\n    Tries the cheap things first and stops where the budget ends (the default)."
    congruent = "\n\n".join([head, *map(_told, METHODS.values())])
    return (
        f"Classifiers that keep what the old one got right (segue.congruent.recipes)\n\n{congruent}\n\n\n"
        f"Embeddings that work with the old gallery (segue.compatible.recipes)\n\n{told_compatible_methods()}"
    )


def told_compatible_methods() -> str:
    """Return the methods of compatible training, with what they do and where they come from.

    Returns:
        Some lines for each.
    """
    head = f"auto\n    Tries {', '.join(AUTOMATIC)} (the default)."
    return "\n\n".join([head, *map(_told_compatible, COMPATIBLE.values())])


def _told(method: Method) -> str:
    needs = {"the old model's weights": method.needs_weights, "a class_map": method.needs_class_map}
    needed = [what for what, wanted in needs.items() if wanted]
    words = [f"    {WORDS[method.name]}"] if method.name in WORDS else []
    lines = [method.name, *words, f"    Source: {visible(method.source, 400)}."]
    return "\n".join([*lines, *([f"    Needs {' and '.join(needed)}."] if needed else [])])


def _told_compatible(method: CompatibleMethod) -> str:
    words = [f"    {COMPATIBLE_WORDS[method.name]}"] if method.name in COMPATIBLE_WORDS else []
    return "\n".join([method.name, *words, f"    Source: {visible(method.source, 400)}."])
