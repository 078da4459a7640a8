"""Settings of HiGHS by program, with the scaling and tolerances of the product."""

from __future__ import annotations

from typing import Any

WITHOUT_CROSSOVER = {"solver": "ipm", "run_crossover": "off"}

LINEAR: dict[str, dict[str, Any]] = {
    "simplex": {"solver": "simplex"},
    "simplex, no presolve": {"solver": "simplex", "presolve": "off"},
    "simplex, primal": {"solver": "simplex", "simplex_strategy": 4},
    "ipm, crossover": {"solver": "ipm", "run_crossover": "on"},
    "ipm, crossover, no presolve": {"solver": "ipm", "run_crossover": "on", "presolve": "off"},
    "ipm, no crossover": WITHOUT_CROSSOVER,
    "ipm, no crossover, no presolve": WITHOUT_CROSSOVER | {"presolve": "off"},
    "ipm, no crossover, to 1e-10": WITHOUT_CROSSOVER | {"ipm_optimality_tolerance": 1e-10},
    "ipm, no crossover, to 1e-12": WITHOUT_CROSSOVER | {"ipm_optimality_tolerance": 1e-12},
    "pdlp": {"solver": "pdlp"},
    "pdlp, loose": {
        "solver": "pdlp",
        "primal_feasibility_tolerance": 1e-7,
        "dual_feasibility_tolerance": 1e-7,
    },
}
"""Settings of linear programs by name in the table; other options are those of the product."""

WHOLE: dict[str, dict[str, Any]] = {
    "gap 1e-4": {"mip_rel_gap": 1e-4},
    "gap 1e-6": {"mip_rel_gap": 1e-6},
    "gap 1e-4, no presolve": {"mip_rel_gap": 1e-4, "presolve": "off"},
    "gap 1e-4, no symmetry": {"mip_rel_gap": 1e-4, "mip_detect_symmetry": False},
    "gap 1e-4, more heuristics": {"mip_rel_gap": 1e-4, "mip_heuristic_effort": 0.3},
    "gap 1e-4, no heuristics": {"mip_rel_gap": 1e-4, "mip_heuristic_effort": 0.0},
    "gap 1e-4, root by ipm": {"mip_rel_gap": 1e-4, "mip_lp_solver": "ipm"},
}
"""Settings of mixed-integer programs."""
