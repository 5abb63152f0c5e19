"""Recipe `modern`: edits are flow, colour and paint (docs/recipes/modern.md)."""
