"""Causes: a layer above the findings of screening, which names one mistake for each unit, month and item."""

from etsopt.accounting.screening.causes.hypotheses import MISTAKEN
from etsopt.accounting.screening.causes.reasons import USUAL_BY
from etsopt.accounting.screening.causes.table import CAUSES, causes_of

__all__ = ["CAUSES", "MISTAKEN", "USUAL_BY", "causes_of"]
