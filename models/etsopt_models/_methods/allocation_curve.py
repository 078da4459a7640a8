"""How the answer of `allocation` follows its limits: regions on which one set of multipliers serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt_models import allocation
from etsopt_models._allocation.limits import limits_of
from etsopt_models._curve import Parametric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.data.instance import Instance


def over(instances: Sequence[Instance]) -> Parametric:
    """Return the limits of an allocation in a box of policies.

    Parameters
    ----------
    instances
        The instance under the policy of the origin of the box, and of the corner of each axis. Limits are affine
        between them, which the checker sees.
    """
    limits = limits_of(instances[0])
    names = [
        *(("sector_target", name) for name in limits.sectors),
        *(("province_balance", name) for name in limits.provinces),
        *(("national_total", "") for _ in range(limits.rows["NATION"])),
        *(("enterprise_band", name) for name in limits.enterprises),
    ]
    origin, *corners = map(allocation.parameters, instances)
    return Parametric(origin, corners, names, limits.free)
