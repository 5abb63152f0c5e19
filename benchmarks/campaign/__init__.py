"""Kills, hostile inputs and a failing environment: nothing may be lost or go wrong in silence."""
