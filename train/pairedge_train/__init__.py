"""Training: pairs of MNIST tiles, networks that compare them, and the rows of results they leave."""
