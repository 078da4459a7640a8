"""Curves: the allocation for every value of a limit, each piece of the range proven as a whole."""

from __future__ import annotations

from etsopt.curves.api import curve
from etsopt.curves.box import Box
from etsopt.curves.folder import CurveCheck, check_curve, read_curve, require_free
from etsopt.curves.result import Curve, Point

__all__ = ["Box", "Curve", "CurveCheck", "Point", "check_curve", "curve", "read_curve", "require_free"]
