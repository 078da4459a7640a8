"""Curves: the allocation, or the price, for every value of a limit, each piece of the range proven as a whole."""

from __future__ import annotations

from etsopt.studies.curves.api import curve
from etsopt.studies.curves.box import Box
from etsopt.studies.curves.curve_files import CurveCheck, require_free
from etsopt.studies.curves.folder import check_curve, read_curve
from etsopt.studies.curves.price_curve import PriceCurve, PricePoint
from etsopt.studies.curves.result import Curve, Point

__all__ = [
    "Box",
    "Curve",
    "CurveCheck",
    "Point",
    "PriceCurve",
    "PricePoint",
    "check_curve",
    "curve",
    "read_curve",
    "require_free",
]
