"""Where faces come from and how they are packed."""
