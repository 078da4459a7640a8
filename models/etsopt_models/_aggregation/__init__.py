"""Exact aggregation of allocations: units that are alike in every coupling row form a cell."""
