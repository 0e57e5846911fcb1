"""Incremental computation: families of pure functions over rows, and the relations between them.

relation   derived facts: Single (one value per unit), Bag (values by key)
engine     families, units, the recorded reads, a run, statistics, explanations, the self-check
snapshot   rows without a database
"""
