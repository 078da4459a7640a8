"""Files that commands read, as texts."""

from __future__ import annotations

HEAD = "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t\n"

DRAWS = "draws = 19\n"
PRIOR = """
[sectors.{}]
source = "made up"
other_units = 40
balance_value = {}
change = {{ normal = [-0.01, 0.02] }}
spread = {{ lognormal = [1.0, 0.06] }}
output_t = {{ lognormal = [{}, 0.5] }}
"""

TEXTS = {
    "plants.csv": HEAD + "k1,e1,cement,Hebei,800000,1000000\nk2,e1,cement,Anhui,900000,1000000\n",
    "messy.csv": "company,plant,province,industry,emissions (kt),2024 output,Remarks\n"
    'A,p1,安徽省,Cement,1260,"1,500,000",new\nB,p2,Hebei,iron and steel,8400,"4,05",\n',
    "bad/units.csv": "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t,special_case,outptu_t\n"
    "a,x,cemnt,Hebei,many,-5,,1\na,x,cement,Heibei,1e5,,nwe,1\n,y,steel,Hunan,-3,100000,,2\nc,y,stel,Hunan,,1,,x\n",
    "bad/policy.toml": 'yaer = 2025\n\n[rule]\nname = "cn-2025"\nslop = 0.1\n\n[sectors.cement]\nband = 3\n',
    "faulty/register.csv": "unit_id,enterprise_id,sector,province,activity\n"
    "u1,e1,aluminium,Hebei,primary_aluminium\nu1,e1,aluminim,Hebei,primary\n",
    "faulty/reports/2025.csv": "unit_id,month,process,item,flow,quantity,unit\n"
    "u1,2025-13,electrolysis,anode,in,many,t\nu9,2025-01,electrolysis,anodes,in,6800,kg\nu1,2025-01,,,in,-1,t\n",
    "decisions.csv": "decision,level,who,unit_id\n"
    "pass,municipal,Li,U1\npass,municipal,Li,U2\npass,provincial,Wang,U1\n",
    "own_model.py": '''"""Least allowances that give every unit nine tenths of its emissions, and meet the target."""

import pyomo.environ as pyo

from etsopt.modelling import ProgramModel


def formulate():
    m = pyo.AbstractModel("least")
    m.UNITS = pyo.Set()
    m.emissions, m.target = pyo.Param(m.UNITS), pyo.Param()
    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (0.9 * m.emissions[i], m.emissions[i]), doc="allowances [t]")
    m.met = pyo.Constraint(rule=lambda m: sum(m.allowance[i] for i in m.UNITS) >= m.target, doc="target is met [t]")
    m.total = pyo.Objective(rule=lambda m: sum(m.allowance[i] for i in m.UNITS), doc="all allowances [t]")
    return m


def parameters(instance):
    target = (1 + instance.policy.sectors["cement"].target_change) * instance.emissions_tco2e.sum()
    return {"UNITS": len(instance.units), "emissions": instance.emissions_tco2e, "target": target}


def tables(instance, solution):
    return {"plan": instance.units[["unit_id"]].assign(allowance_t=solution.values["allowance"])}


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
''',
    "own_rule.py": '''"""A benchmark of one's own."""

from pydantic import Field

from etsopt.rules import Parameters, rule


class Flat(Parameters):
    """Parameters of the rule, beside those that every rule has."""

    benchmark: float = Field(0.83, gt=0, description="allowances per tonne of output_t [t/t]")


@rule("flat-benchmark", "an example", Flat, columns=("output_t",))
def flat_benchmark(instance, parameters, fixed):
    """Return allowances by output [t]."""
    return parameters.benchmark * instance.units["output_t"].to_numpy(dtype=float)
''',
    "sweep.toml": 'instance = "tiny"\n\n[grid]\nsectors.cement.target_change = [0.0, -0.005, -0.5]\n',
    "samples.toml": 'instance = "tiny"\n\n[scenarios.narrow]\nsectors.cement.band = 0.02\n\n[scenarios.wide]\n'
    'sectors.cement.band = 0.05\n\n[sample]\nnumber = 2\nmethod = "random"\n\n[sample.values]\n'
    "units.output_t = { uniform = [0.99, 1.01] }\n",
    "design.toml": 'instance = "tiny"\ngenerations = 1\npopulation = 4\n\n[choose]\n'
    "sectors.cement.target_change = { lower = -0.01, upper = 0.0 }\n\n"
    '[goals.moved]\ntable = "levels"\nid = "change"\nquantity = "value"\n\n'
    '[goals.allowances]\ntable = "sectors"\nquantity = "allowance_t"\n',
    "forecast.toml": f'instance = "tiny"\n{DRAWS}{PRIOR.format("cement", 0.8, 200_000.0)}',
    "long-forecast.toml": f'instance = "long"\n{DRAWS}{PRIOR.format("cement", 0.84, 2e6)}'
    f"{PRIOR.format('steel', 1.87, 2e7)}{PRIOR.format('aluminium', 1.57, 1e6)}",
}
"""Files by their paths; the first part of a path is the name of the item."""
