"""Check an equilibrium: best responses of every unit, and balanced sectors where required."""
