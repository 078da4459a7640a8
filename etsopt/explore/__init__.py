"""A page to explore a curve: one offline file with a slider, proven again in the reader's browser at every position."""

from __future__ import annotations

from etsopt.explore.page import check_page, write_page

__all__ = ["check_page", "write_page"]
