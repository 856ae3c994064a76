"""The metrics: one file each, every one a mergeable accumulator."""
