"""The figures, the page and the closing lines of a run."""
