"""Sweeps: many scenarios of one instance from a file, solved, checked and kept in one record that can be resumed."""

from etsopt.sweeping.labelled import as_dataset
from etsopt.sweeping.plan import SweepPlan, plan_of, read_plan
from etsopt.sweeping.record import Record
from etsopt.sweeping.statistics import regret, summary
from etsopt.sweeping.sweep import Progress, run_plan

__all__ = ["Progress", "Record", "SweepPlan", "as_dataset", "plan_of", "read_plan", "regret", "run_plan", "summary"]
