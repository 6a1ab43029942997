"""How well columns are classed: made-up schemas with labelled columns, and what is found of them."""
