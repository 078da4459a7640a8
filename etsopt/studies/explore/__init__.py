"""A page to explore a curve: one offline file with one or two sliders, proven again in a browser at every position."""

from __future__ import annotations

from etsopt.studies.explore.box_cover import cover_box
from etsopt.studies.explore.page import check_page, write_page

__all__ = ["check_page", "cover_box", "write_page"]
