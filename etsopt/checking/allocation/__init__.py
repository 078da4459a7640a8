"""Check allocations: limits, statements, and a bound for every objective from its duals.

`bands` and `limits` derive the demands of the policy, `rows` the rows that couple units; `certificate` bounds an
objective from any duals, `measures` defines each objective, `levels` checks them in order; `statements` and `totals`
check the tables; `exceptions`, `integer` and `rounding` extend the bound to exceptions and whole tonnes;
`infeasibility` and `relaxed_limits` check the proof and the remedy if no allocation exists; `rational` repeats a
bound in fractions.
"""
