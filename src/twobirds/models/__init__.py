"""Layers that recipes share, frozen feature networks, and models on disk."""
