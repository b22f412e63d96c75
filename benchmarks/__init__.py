"""Programs that measure speed, size and memory, their results, and the page made of these."""
