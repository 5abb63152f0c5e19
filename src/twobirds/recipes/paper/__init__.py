"""Recipe `paper`: the iterative GAN of the paper, two stages, three networks (P6-P15)."""
