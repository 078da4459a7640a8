"""Many units: the certified methods of the package against HiGHS alone on the same program."""
