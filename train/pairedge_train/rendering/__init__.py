"""Photo-like pictures of digits, of print and of what is no digit. Imports nothing else of pairedge_train."""
