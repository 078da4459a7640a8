"""Hash of an instance: the same for the same content, whatever file it came from."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.data.policy.official import INDUSTRY
from etsopt.data.policy.plans import NATIONAL, of_plan, of_year
from etsopt.data.tables.schema import ENTERPRISES, UNITS, USER_COLUMN_PREFIX
from etsopt.data.tables.user_columns import as_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etsopt.data.policy.policy import Policy


def digest_of(tables: Mapping[str, pd.DataFrame]) -> Any:
    """Return the SHA-256 object over every cell of the tables, to which a policy can still be added."""
    digest = hashlib.sha256()
    for name, table in ((name, as_texts(table)) for name, table in tables.items()):
        if name not in (UNITS.name, ENTERPRISES.name):
            digest.update(f"\x1c{name}".encode())
        for column in sorted(table.columns):
            digest.update(f"\x1d{column}\x1d".encode())
            digest.update(_bytes_of(table[column]))
    return digest


def hash_with_policy(tables: Any, policy: Policy, sectors: Iterable[str]) -> str:
    """Return the hash of tables, whose `digest_of` is ``tables``, and a policy with the official parameters in force.

    A sector that the policy does not name enters the hash only if it has no target; a target at its emissions, once the
    default under every rule, does not enter.
    """
    digest, content = tables.copy(), policy.content | _in_force(policy)
    for name in sectors:
        if policy.target_sense_of(name) == "none":
            content["sectors"].setdefault(name, {"target_sense": "none"})
    digest.update(json.dumps(content, sort_keys=True).encode())
    return str(digest.hexdigest())


def _in_force(policy: Policy) -> dict[str, Any]:
    """Return the rule's parameters, official by default, and the other official ones of the policy's years."""
    name = policy.rule.name
    plan = of_plan(name, policy.year)
    if name != NATIONAL:
        # Under the national rule they differ by sector, and are among the other rows.
        plan["outside_scope"] = policy.cases_outside(INDUSTRY[0])
    stated = {key: value for key, value in policy.rule.model_dump(mode="json").items() if value is not None}
    years = {policy.year, *policy.years, policy.years[-1] + 1}
    rows = {row for year in years for row in of_year(name, year) if row.key.removeprefix("rule.") not in plan}
    others = sorted((row.key, row.sectors, row.first_year, row.value) for row in rows)
    return {"rule": plan | stated, "official": others}


def _bytes_of(cells: pd.Series[Any]) -> Any:
    """Return the cells of a column as bytes: texts in UTF-8, numbers in their binary form."""
    if cells.dtype != object and not str(cells.name).startswith(USER_COLUMN_PREFIX):
        return cells.to_numpy().tobytes()
    try:
        return "\x1f".join(cells.tolist()).encode()
    except TypeError:
        # Numbers of the user's own are hashed as a file holds them, where a column may be text.
        return "\x1f".join("" if pd.isna(cell) else str(cell) for cell in cells).encode()
