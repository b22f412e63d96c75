"""The loop, what it minimizes, and what a trained network is worth."""
