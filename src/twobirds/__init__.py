"""One model of faces that recognizes, generates, rebuilds and edits."""
