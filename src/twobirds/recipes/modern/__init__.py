"""Recipe `modern`: the paper's idea with networks and losses of today (docs/recipes/modern.md)."""
