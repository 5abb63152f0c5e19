"""The losses, each a function of tensors."""
