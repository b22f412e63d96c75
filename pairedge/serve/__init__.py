"""The server of `pairedge serve`: a small ASGI application on uvicorn, with limits on all input.

It needs the extra `serve`. Nothing else of the runtime imports this package.
"""
