"""Files of other programs, as inputs: one file per family of formats."""
