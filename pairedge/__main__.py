"""`python -m pairedge` is the `pairedge` program."""

from pairedge.cli import run

if __name__ == "__main__":  # processes of --jobs import this module, too
    run()
