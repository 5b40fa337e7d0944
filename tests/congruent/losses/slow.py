"""Each loss once more, for one sample at a time, in plain Python floats: slow, and easy to check against the paper.

``new`` and ``old`` are lists of logits, ``label`` counts in the new classes, ``class_map`` gives the new class of each
old class, -1 where it is gone.
"""

import math


def softmax(logits, temperature=1.0):
    top = max(logits)
    powers = [math.exp((z - top) / temperature) for z in logits]
    return [power / math.fsum(powers) for power in powers]


def cross_entropy(logits, label):
    top = max(logits)
    return top + math.log(math.fsum(math.exp(z - top) for z in logits)) - logits[label]


def soft_cross_entropy(logits, target):
    """The target is a dict from class to probability."""
    return math.fsum(share * cross_entropy(logits, k) for k, share in target.items())


def kl(new, old, temperature):
    p, q = softmax(old, temperature), softmax(new, temperature)
    return temperature**2 * math.fsum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def half_squares(new, old):
    return 0.5 * math.fsum((a - b) ** 2 for a, b in zip(new, old, strict=True))


def argmax(logits):
    return max(range(len(logits)), key=lambda k: logits[k])


def common(new, old, class_map):
    pairs = [(new[n], old[o]) for o, n in enumerate(class_map) if n >= 0]
    return [a for a, _ in pairs], [b for _, b in pairs]


def old_right(old, label, class_map):
    return class_map[argmax(old)] == label


def old_target(old, class_map):
    kept = [(n, old[o]) for o, n in enumerate(class_map) if n >= 0]
    return {n: p for (n, _), p in zip(kept, softmax([z for _, z in kept]), strict=True)}


def distillation(new, old, label, class_map, temperature=2.0):
    return kl(*common(new, old, class_map), temperature) if label in class_map else 0.0


def focal(new, old, label, class_map, alpha=1.0, beta=5.0, temperature=100.0):
    if label not in class_map:
        return 0.0
    weight = alpha + beta if old_right(old, label, class_map) else alpha
    return weight * kl(*common(new, old, class_map), temperature)


def focal_matching(new, old, label, class_map, alpha=0.5, beta=2.0):
    if label not in class_map:
        return 0.0
    weight = alpha + beta if old_right(old, label, class_map) else alpha
    return weight * half_squares(*common(new, old, class_map))


def focal_flips(new, old, label, class_map, alpha=1.0, beta=5.0, temperature=100.0):
    if label not in class_map:
        return 0.0
    flipped = old_right(old, label, class_map) and argmax(new) != label
    return (alpha + beta * flipped) * kl(*common(new, old, class_map), temperature)


def focal_errors(new, old, label, class_map, alpha=1.0, beta=5.0, temperature=100.0):
    if label not in class_map:
        return 0.0
    return (alpha + beta * (argmax(new) != label)) * kl(*common(new, old, class_map), temperature)


def focal_likelihood(new, old, label, class_map, alpha=1.0, beta=5.0, temperature=100.0):
    if label not in class_map:
        return 0.0
    return (alpha + beta * softmax(old)[class_map.index(label)]) * kl(*common(new, old, class_map), temperature)


def logit_difference(new, old, label, class_map, margin=0.5, power=2.0, top_k=None, exclude_label=False):
    if label not in class_map:
        return 0.0
    rows = [
        (old[o], abs(new[n] - old[o])) for o, n in enumerate(class_map) if n >= 0 and not (exclude_label and n == label)
    ]
    rows.sort(key=lambda row: -row[0])
    return math.fsum(max(0.0, difference - margin) ** power for _, difference in rows[:top_k])


def reweighting(new, old, label, class_map):
    return cross_entropy(new, label) if old_right(old, label, class_map) else 0.0


def strict_imitation(new, old, label, class_map):
    if not old_right(old, label, class_map):
        return 0.0
    compared, reference = common(new, old, class_map)
    return soft_cross_entropy(compared, dict(enumerate(softmax(reference))))


def anchored(new, old, label, class_map, alpha=0.5, epsilon=0.5):
    target = dict.fromkeys(range(len(new)), 0.0)
    if label not in class_map:
        target[label] = 1.0
    elif old_right(old, label, class_map):
        for k, p in old_target(old, class_map).items():
            target[k] += alpha * p
        target[label] += 1 - alpha
    else:
        for k in target:
            target[k] += epsilon * alpha / len(new)
        target[label] += epsilon * (1 - alpha)
    return soft_cross_entropy(new, target)


def churn(new, old, label, class_map, weight=0.5):
    if label not in class_map:
        return cross_entropy(new, label)
    imitation = soft_cross_entropy(new, old_target(old, class_map))
    return weight * imitation + (1 - weight) * cross_entropy(new, label)


def gated(new, old, label, class_map, alpha=0.5, temperature=2.0):
    truth = cross_entropy(new, label)
    if label not in class_map or cross_entropy(old, class_map.index(label)) > truth:
        return truth
    return alpha * kl(*common(new, old, class_map), temperature) + (1 - alpha) * truth


def margin_preserving(new, old, label, class_map, margin=4.0):
    ahead = [z if k in class_map else z + margin for k, z in enumerate(new)]
    return cross_entropy(ahead, label) + focal(new, old, label, class_map, temperature=5.0)


def muscle(new, old, teacher, label, class_map, temperature=1.0, labels_weight=0.0):
    """One token; the label is -100 at padding."""
    if label == -100:
        return 0.0
    if argmax(new) != label and label in class_map:
        target = old_target([z / temperature for z in old], class_map)
    else:
        target = dict(enumerate(softmax(teacher, temperature)))
    q = softmax(new, temperature)
    divergence = math.fsum(p * math.log(p / q[k]) for k, p in target.items() if p > 0)
    return divergence + labels_weight * cross_entropy(new, label)
