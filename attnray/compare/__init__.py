"""Compare: what many runs say of their models, side by side."""
