"""`etsopt solve` of a policy with a balance value between two ends: a run at each, and a table of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console, scale_of, short_figure
from etsopt.language import _
from etsopt.results.notices import facts_of, notices
from etsopt.results.words import STATUSES
from etsopt.units import format_rate
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.instance import Instance
    from etsopt.results.results import Results


def show(results: Mapping[str, Results], instance: Instance) -> None:
    """Print the totals of every sector at both ends, each with its status."""
    console = plain_console()
    model = next(iter(results.values())).provenance["model"]
    title = _("{instance}, {model}: at both ends of the balance value", instance=instance.name, model=model)
    console.print(Text(title, style="bold"))
    console.print()
    scale, unit = scale_of(float(instance.emissions_tco2e.sum()))
    heads = (f"{name}\n[{word('unit', unit)}]" for name in (_("emissions"), _("allowances"), _("surplus")))
    shown = new_table("", _("end"), _("sector"), _("balance\nvalue"), *heads, _("surplus\nrate"), _("status"))
    for end, result in results.items():
        status = STATUSES[result.status]
        sectors = result.tables.get("sectors", result.tables.get("compliance_sectors"))
        for row in [] if sectors is None else sectors.to_dict("records"):
            tonnes = [row["emissions_tco2e"], row["allowance_t"], row["allowance_t"] - row["emissions_tco2e"]]
            figures = [f"{row['balance_value']:.6g}", *(short_figure(one / scale) for one in tonnes)]
            figures.append(format_rate(tonnes[2] / tonnes[0] if tonnes[0] else float("nan")))
            shown.add_row(*map(Text, (_(end), word("sector", row["sector"]), *figures, status)))
        if sectors is None:
            shown.add_row(*map(Text, (_(end), "", "", "", "", "", "", status)))
    console.print(shown)
    for text in notices(facts_of(instance, model)):
        console.print(Text(text, style="yellow"))
