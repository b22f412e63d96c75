"""Training: pairs of MNIST tiles, networks that compare them, and what their rounds measured."""
