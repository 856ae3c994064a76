"""The store: the run folder, its commits, and attention in Zarr."""
