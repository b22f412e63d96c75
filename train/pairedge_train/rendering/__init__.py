"""Photo-like pictures of digits, of print and of negatives. Imports nothing else of pairedge_train."""
