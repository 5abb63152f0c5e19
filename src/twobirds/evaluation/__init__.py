"""Honest measurements of a model, and the report."""
