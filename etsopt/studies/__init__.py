"""Many questions of one instance: sweeps, curves, searches of designs, forecasts, methods, the page to explore."""
