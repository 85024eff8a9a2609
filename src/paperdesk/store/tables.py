"""The tables of the projections."""
