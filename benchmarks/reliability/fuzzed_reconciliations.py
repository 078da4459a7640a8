"""Random evidence of a few quantities, and a search of all vertices of its piecewise linear functions."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.reliability.fuzzed import Case
from tests.reconciliations import random_reconciliation

if TYPE_CHECKING:
    from collections.abc import Iterator

    import etsopt
    from etsopt.running.results.results import Results

SLACK = 1 + 1e-6
"""An uncertainty and the millionth that is added to it."""


def reconciliation(number: int) -> Case:
    """Return evidence on one to three units of up to three quantities."""
    instance = random_reconciliation(number, 1 + number % 3)
    return Case(
        "reconciliation", instance, ("direct", "pyomo")[number % 2], lambda result: by_vertices(instance, result)
    )


def by_vertices(instance: etsopt.Instance, result: Results) -> str:
    """Compare the objectives with the best of all points at which as many functions have a kink as there are axes."""
    wanted = {"adjustment": 0.0, "estimate": 0.0, "interval": 0.0}
    for unit in instance.units["unit_id"]:
        for name, value in _of_unit(instance, result, str(unit)).items():
            wanted[name] += value
    for level in result.levels:
        best = wanted[level.name]
        if not abs(level.value - best) <= 1e-7 * abs(best) + 1e-6:
            return f"{level.name} is {level.value:.10g}, and the best vertex has {best:.10g}"
    return ""


def _of_unit(instance: etsopt.Instance, result: Results, unit: str) -> dict[str, float]:
    """Return the least value of each objective of a unit, with the gross errors of the result."""
    quantities, statements, terms = (
        table[table["unit_id"] == unit].to_dict("records")
        for table in (instance.quantities, instance.statements, instance.terms)
    )
    gross = [
        table.loc[table["unit_id"] == unit, "gross_error"].tolist()
        for table in (result.tables["reconciled_quantities"], result.tables["reconciled_statements"])
    ]
    place = {row["quantity_id"]: number for number, row in enumerate(quantities)}
    rows = []
    for statement in statements:
        own = [term for term in terms if term["statement_id"] == statement["statement_id"]]
        vector = np.zeros(len(quantities))
        for term in own:
            vector[place[term["quantity_id"]]] = term["coefficient"]
        value = statement["value"]
        ends = [value if np.isnan(statement[side]) else statement[side] for side in ("lower", "upper")]
        lower, upper = (limit if np.isnan(end) else end for end, limit in zip(ends, (-np.inf, np.inf), strict=True))
        rows.append((vector, value, lower, upper, statement["uncertainty"]))
    told = [not np.isnan(row["reported"]) for row in quantities]
    first = _least(quantities, rows, told, [False] * len(rows), None)
    counts = [known and not wrong for known, wrong in zip(told, gross[0], strict=True)]
    second = _least(quantities, rows, counts, [np.isnan(row[1]) for row in rows], gross[1])
    factor = np.array([row["emissions_tco2e_per_unit"] for row in quantities])
    ends = [float(factor @ point) for point in _agreeing(quantities, rows, counts, gross[1])]
    return {"adjustment": first, "estimate": second, "interval": min(ends) - max(ends)}


def _least(
    quantities: list[Any], rows: list[Any], counts: list[bool], without_value: list[bool], gross: list[bool] | None
) -> float:
    """Return the least sum of weighted distances; with known gross errors, over what agrees and near likely values."""
    kept = [row for number, row in enumerate(rows) if gross is None or not gross[number]]
    planes: list[tuple[Any, float]] = []
    for number, row in enumerate(quantities):
        unit = np.eye(len(quantities))[number]
        planes += [(unit, 0.0), (unit, row["most"])]
        if counts[number]:
            off = row["uncertainty"] * SLACK
            planes += [(unit, row["reported"] + side) for side in ((0.0,) if gross is None else (0.0, -off, off))]
    for vector, value, lower, upper, uncertainty in kept:
        sides = (
            [lower, upper]
            if gross is None
            else [lower, upper, lower - uncertainty * SLACK, upper + uncertainty * SLACK]
        )
        planes += [(vector, one) for one in (*sides, value) if np.isfinite(one)]
    reach = np.array([row["most"] for row in quantities])

    def cost(point: Any) -> float:
        total = sum(
            abs(point[number] - row["reported"]) / row["uncertainty"]
            for number, row in enumerate(quantities)
            if counts[number]
        )
        for vector, value, lower, upper, uncertainty in kept:
            z = vector @ point
            total += max(lower - z, z - upper, 0.0) / uncertainty
            unknown = any(vector[number] and not counts[number] for number in range(len(quantities)))
            if gross is not None and unknown and not np.isnan(value):
                farthest = float(np.abs(vector) @ reach)
                low, high = max(lower, min(-farthest, upper)), min(upper, max(farthest, lower))
                total += 0.1 / max((high - low) / 2, uncertainty) * abs(z - value)
        return float(total)

    points = _points(planes, len(quantities))
    if gross is not None:
        points = (point for point in points if _agrees(point, quantities, kept, counts))
    inside = (point for point in points if (point >= -1e-9 * reach).all() and (point <= reach * (1 + 1e-9)).all())
    return min(map(cost, inside))


def _agreeing(quantities: list[Any], rows: list[Any], counts: list[bool], gross: list[bool]) -> Iterator[Any]:
    """Yield the vertices of all quantities that agree with what is no gross error."""
    kept = [row for number, row in enumerate(rows) if not gross[number]]
    planes = []
    for number, row in enumerate(quantities):
        unit = np.eye(len(quantities))[number]
        planes += [(unit, 0.0), (unit, row["most"])]
        if counts[number]:
            planes += [(unit, row["reported"] + sign * row["uncertainty"] * SLACK) for sign in (-1, 1)]
    for vector, _, lower, upper, uncertainty in kept:
        planes += [
            (vector, one) for one in (lower - uncertainty * SLACK, upper + uncertainty * SLACK) if np.isfinite(one)
        ]
    yield from (point for point in _points(planes, len(quantities)) if _agrees(point, quantities, kept, counts))


def _agrees(point: Any, quantities: list[Any], kept: list[Any], counts: list[bool]) -> bool:
    most = np.array([row["most"] for row in quantities])
    if (point < -1e-9 * most).any() or (point > most * (1 + 1e-9)).any():
        return False
    for number, row in enumerate(quantities):
        if counts[number] and abs(point[number] - row["reported"]) > row["uncertainty"] * SLACK + 1e-9 * row["most"]:
            return False
    for vector, _, lower, upper, uncertainty in kept:
        off = max(lower - vector @ point, vector @ point - upper)
        if off > uncertainty * SLACK + 1e-9 * float(np.abs(vector) @ most):
            return False
    return True


def _points(planes: list[tuple[Any, float]], dimensions: int) -> Iterator[Any]:
    """Yield the common points of every choice of as many planes as dimensions."""
    for chosen in combinations(planes, dimensions):
        matrix = np.array([plane[0] for plane in chosen])
        if abs(np.linalg.det(matrix)) > 1e-9:
            yield np.linalg.solve(matrix, np.array([plane[1] for plane in chosen]))
