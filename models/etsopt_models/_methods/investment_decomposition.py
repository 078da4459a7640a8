"""Decomposition of `investment`: every set of every unit at the prices, and a program over coupled enterprises."""

from etsopt.modelling import ModelMethod
from etsopt_models._investment.programs import prepare_priced

# The extensive form of few units has few numbers, and shows every trade of every scenario to the solver.
METHOD = ModelMethod(from_units=10, prepare=prepare_priced)
