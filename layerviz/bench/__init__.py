"""What layerviz gains, measured: each benchmark compares two ways of doing the same work."""
