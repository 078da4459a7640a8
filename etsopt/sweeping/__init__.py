"""Sweeps: many scenarios of one instance from a file, solved, checked and kept in one record that can be resumed."""

from etsopt.sweeping.labelled import as_dataset
from etsopt.sweeping.plan import SweepPlan, plan_of, read_plan
from etsopt.sweeping.progress import Progress
from etsopt.sweeping.record import Record
from etsopt.sweeping.sensitivity import inputs_of, sensitivity
from etsopt.sweeping.states import investment_scenarios
from etsopt.sweeping.statistics import proven, regret, summary
from etsopt.sweeping.sweep import run_plan

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
