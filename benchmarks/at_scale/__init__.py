"""Many units: the exact and certified methods of the package against HiGHS alone on the same program."""
