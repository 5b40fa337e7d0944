"""All methods by name."""

from segue.compatible.recipes.methods.base import Method
from segue.compatible.recipes.methods.basis import BASIS_TRANSFORMATION
from segue.compatible.recipes.methods.boundaries import ADVERSARIAL, BOUNDARY_ALIGNMENT
from segue.compatible.recipes.methods.independent import INDEPENDENT
from segue.compatible.recipes.methods.influence import INFLUENCE, INFLUENCE_COSINE, INFLUENCE_DISTILLATION
from segue.compatible.recipes.methods.mixing import MIXING
from segue.compatible.recipes.methods.old_neighbours import OLD_NEIGHBOURS
from segue.compatible.recipes.methods.paired import PAIRED
from segue.compatible.recipes.methods.stationary import STATIONARY

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        INDEPENDENT,
        INFLUENCE,
        INFLUENCE_COSINE,
        INFLUENCE_DISTILLATION,
        *PAIRED,
        BOUNDARY_ALIGNMENT,
        ADVERSARIAL,
        MIXING,
        BASIS_TRANSFORMATION,
        STATIONARY,
        OLD_NEIGHBOURS,
    )
}
