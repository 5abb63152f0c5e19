"""Recipe `layered`: edits are flow, colour and paint (docs/recipes/layered.md)."""
