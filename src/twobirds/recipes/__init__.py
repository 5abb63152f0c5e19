"""The ways of training a model, one folder each; `registry` finds them by name."""
