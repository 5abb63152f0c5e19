"""The two-stage training: one loop for every objective."""
