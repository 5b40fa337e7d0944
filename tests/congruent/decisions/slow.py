"""Slow, obvious references: Bayes' rule and the update rules sample by sample, in plain probabilities."""

import math


def slow_confusion(labels, answers, classes, smoothing):
    """Return {(answer, truth): probability}."""
    found = {}
    for truth in classes:
        of_class = [answer for label, answer in zip(labels, answers, strict=True) if label == truth]
        for answer in classes:
            hits = sum(one == answer for one in of_class)
            found[answer, truth] = (hits + smoothing / len(classes)) / (len(of_class) + smoothing)
    return found


def slow_posterior(answers, confusions, classes, prior=None):
    """Return {class: probability} of one sample, from each generation's answer and confusion."""
    belief = {k: 1 / len(classes) if prior is None else prior[k] for k in classes}
    for answer, confusion in zip(answers, confusions, strict=True):
        belief = {k: belief[k] * confusion[answer, k] for k in classes}
        total = sum(belief.values())
        belief = {k: value / total for k, value in belief.items()}
    return belief


def slow_entropy(belief):
    """Return the entropy in nats."""
    return -sum(p * math.log(p) for p in belief.values() if p > 0)


def slow_label(rule, stored, answers, before, after, ratio=None):
    """Return one sample's label after its newest answer; ``answers`` are all so far."""
    best = max(after, key=lambda k: after[k])
    if after[best] <= after[stored] * (1 + 1e-9):
        best = stored
    if rule == "replace":
        return answers[-1]
    if rule == "majority":
        votes = {k: answers.count(k) for k in answers}
        most = [k for k in votes if votes[k] == max(votes.values())]
        return stored if stored in most else answers[-1] if answers[-1] in most else min(most)
    if rule == "mb":
        return best
    if rule == "mbme":
        return best if slow_entropy(after) < slow_entropy(before) - 1e-9 else stored
    return best if after[best] / after[stored] > ratio * (1 + 1e-9) else stored
