"""What the paper compares with, each an objective for the same training loop (P18-P20)."""
