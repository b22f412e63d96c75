"""A trained network adapted to one's own pictures, without forgetting what others wrote."""
