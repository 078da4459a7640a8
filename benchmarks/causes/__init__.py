"""Causes of faults in monthly reports, diagnosed and held against faults that were planted: generator and measures."""
