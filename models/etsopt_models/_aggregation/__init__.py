"""Allocations over cells: units that are alike in every row that couples them are one."""
