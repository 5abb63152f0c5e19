"""Options of a training run that takes seconds."""

TINY_RUN = (
    "--size=32 --width=0.0625 --images=48 --device=cpu --set train.batch_size=8 "
    "recipe.num_shared=16 recipe.num_latents=8 recipe.num_attribute_hidden=8 "
    "train.log_every_images=16 train.sample_every_images=24"
).split()
