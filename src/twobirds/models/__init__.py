"""The three networks of the paper and what they are built from."""
