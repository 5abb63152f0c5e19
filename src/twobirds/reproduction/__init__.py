"""The paper's experiments, run anew: every table and figure beside the paper's own (P18-P22)."""
