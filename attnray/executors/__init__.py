"""The executors: how the work of runs is done, here or on a cluster."""
