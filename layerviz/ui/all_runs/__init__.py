"""The table of all runs and comparisons."""
