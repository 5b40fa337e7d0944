"""Each compatible loss once more, in plain Python floats, one sample after the other.

``new`` and ``old`` are lists of rows, ``labels`` a list of classes. Each function returns one number per sample, and
``None`` for a sample that does not count.
"""

import math


def common(row, d_old):
    return (row + [0.0] * d_old)[:d_old]


def dot(u, v):
    return math.fsum(a * b for a, b in zip(u, v, strict=True))


def unit(row):
    length = math.sqrt(dot(row, row))
    return [x / length for x in row] if length else row


def distance(u, v):
    return math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(u, v, strict=True)))


def log_sum_exp(values):
    top = max(values)
    return top + math.log(math.fsum(math.exp(value - top) for value in values))


def cross_entropy(logits, row):
    return log_sum_exp(logits) - logits[row]


def linear(weights, bias, embedding):
    return [dot(row, embedding) + offset for row, offset in zip(weights, bias, strict=True)]


def cosine(weights, scale, embedding):
    return [scale * dot(unit(row), unit(embedding)) for row in weights]


def influence(head, class_map, new, old, labels, d_old, before=lambda row: row):
    values = []
    for row, label in zip(new, labels, strict=True):
        known = label in class_map
        values.append(cross_entropy(head(before(common(row, d_old))), class_map.index(label)) if known else None)
    return values


def influence_distillation(head, new, old, labels, known=()):
    values = []
    for fresh, stored, label in zip(new, old, labels, strict=True):
        teacher, student = head(stored), head(common(fresh, len(stored)))
        shares = [math.exp(z - log_sum_exp(teacher)) for z in teacher]
        value = math.fsum(share * cross_entropy(student, row) for row, share in enumerate(shares))
        values.append(None if label in known else value)
    return values


def directions(new, old):
    return [unit(common(row, len(old[0]))) for row in new], [unit(row) for row in old]


def embedding_regression(new, old, labels):
    return [distance(n, o) ** 2 for n, o in zip(*directions(new, old), strict=True)]


def cross_contrastive(new, old, labels, temperature):
    fresh, stored = directions(new, old)
    values = []
    for n, label in zip(fresh, labels, strict=True):
        logits = [dot(n, o) / temperature for o in stored]
        positives = [k for k, other in enumerate(labels) if other == label]
        values.append(math.fsum(cross_entropy(logits, k) for k in positives) / len(positives))
    return values if len(set(labels)) > 1 else [0.0] * len(labels)


def cross_triplet(new, old, labels, margin):
    fresh, stored = directions(new, old)
    values = []
    for i, label in enumerate(labels):
        negatives = [distance(fresh[i], stored[k]) for k in range(len(labels)) if labels[k] != label]
        own = distance(fresh[i], stored[i])
        values.append(max(0.0, own - min(negatives) + margin) if negatives else None)
    return values


def regression_alleviating(new, old, labels, temperature, hardest):
    fresh, stored = directions(new, old)
    values = []
    for i, label in enumerate(labels):
        others = [k for k in range(len(labels)) if labels[k] != label]
        of_old = sorted((dot(fresh[i], stored[k]) for k in others), reverse=True)[:hardest]
        of_new = sorted((dot(fresh[i], fresh[k]) for k in others), reverse=True)[:hardest]
        values.append(cross_entropy([c / temperature for c in [dot(fresh[i], stored[i]), *of_old, *of_new]], 0))
    return values


def higher_order_contrastive(new, old, labels, scale):
    fresh, stored = directions(new, old)
    values = []
    for i, label in enumerate(labels):
        others = [scale * dot(stored[i], fresh[k]) for k in range(len(labels)) if labels[k] != label]
        values.append(cross_entropy([scale * dot(stored[i], fresh[i]), *others], 0))
    return values


def boundary(new, labels, centres, radii, classes, weight):
    values = []
    for row, label in zip(new, labels, strict=True):
        region = classes.index(label) if label in classes else None
        if region is None or radii[region] == 0:
            values.append(None)
            continue
        cos = dot(unit(common(row, len(centres[0]))), centres[region])
        values.append(weight * max(0.0, math.acos(max(-1.0, min(1.0, cos))) - radii[region]))
    return values


def elastic_boundary(new, labels, centres, old_radii, learned, classes, threshold):
    values = []
    for row, label in zip(new, labels, strict=True):
        region = classes.index(label) if label in classes else None
        if region is None or old_radii[region] == 0:
            values.append(None)
            continue
        share = 1 / (1 + math.exp(-learned[region]))
        radius = (1 - share) * old_radii[region] + share * threshold
        values.append(max(0.0, distance(unit(common(row, len(centres[0]))), centres[region]) - radius))
    return values


def basis_transformation(head, class_map, new, old, labels, weights):
    fresh, stored = directions(new, old)
    judged = influence(head, class_map, fresh, old, labels, len(old[0]))
    return [
        weights[1] * (value or 0.0) + weights[2] * (1 - dot(n, o))
        for value, n, o in zip(judged, fresh, stored, strict=True)
    ]


def old_neighbours(new, old, labels, stored, classes, temperature, ranking=0.0, own=None):
    """Neighbourhood components analysis against stored vectors, number by number."""
    values = []
    for i, label in enumerate(labels):

        def score(k, i=i):
            size = len(stored[k])
            a, b = (list(new[i]) + [0.0] * size)[:size], stored[k]
            lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
            return sum(x * y for x, y in zip(a, b, strict=True)) / lengths / temperature

        others = [k for k in range(len(stored)) if own is None or k != own[i]]
        total = sum(math.exp(score(k)) for k in others)
        same = [k for k in others if classes[k] == label]
        if not same:
            values.append(None)
            continue
        first = -math.log(sum(math.exp(score(k)) for k in same) / total)
        rest = -sum(math.log(math.exp(score(k)) / total) for k in same) / len(same)
        values.append(first + ranking * rest)
    return values
