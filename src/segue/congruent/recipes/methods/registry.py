"""All methods by name."""

from segue.congruent.recipes.methods.base import Method
from segue.congruent.recipes.methods.combined import CONGRUENT_DISTILLATION, CONGRUENT_FINE_TUNING, CONGRUENT_SOUP
from segue.congruent.recipes.methods.constrained import CONSTRAINED
from segue.congruent.recipes.methods.ensembles import ELODI, ENSEMBLE, MOST_CENTRIC
from segue.congruent.recipes.methods.interpolated import FISHER, INTERPOLATION, SOUPS
from segue.congruent.recipes.methods.margins import MARGIN_PRESERVING
from segue.congruent.recipes.methods.paired import AVERAGING, SWITCHING
from segue.congruent.recipes.methods.patient import LONGER_TRAINING, PATIENT_DISTILLATION, PATIENT_FINE_TUNING
from segue.congruent.recipes.methods.plain import FINE_TUNING, INDEPENDENT

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        INDEPENDENT,
        LONGER_TRAINING,
        FINE_TUNING,
        *CONSTRAINED,
        MARGIN_PRESERVING,
        INTERPOLATION,
        FISHER,
        SOUPS,
        ENSEMBLE,
        MOST_CENTRIC,
        ELODI,
        AVERAGING,
        SWITCHING,
        CONGRUENT_FINE_TUNING,
        CONGRUENT_SOUP,
        CONGRUENT_DISTILLATION,
        PATIENT_FINE_TUNING,
        PATIENT_DISTILLATION,
    )
}
