"""A page that needs no server: a model and the reading of pictures as WebAssembly, and files around it."""
