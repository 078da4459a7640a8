"""Sweeps: many scenarios of one instance from a file, solved, checked and kept in one record that can be resumed."""

from etsopt.studies.sweeping.labelled import as_dataset
from etsopt.studies.sweeping.plan import SweepPlan, plan_of, read_plan
from etsopt.studies.sweeping.progress import Progress
from etsopt.studies.sweeping.record import Record
from etsopt.studies.sweeping.sensitivity import inputs_of, sensitivity
from etsopt.studies.sweeping.states import investment_scenarios
from etsopt.studies.sweeping.statistics import proven, regret, summary
from etsopt.studies.sweeping.sweep import run_plan

__all__ = [
    "Progress",
    "Record",
    "SweepPlan",
    "as_dataset",
    "inputs_of",
    "investment_scenarios",
    "plan_of",
    "proven",
    "read_plan",
    "regret",
    "run_plan",
    "sensitivity",
    "summary",
]
