"""`python -m marquee.cli`: the same as the command `marquee`."""

from marquee.cli import app

if __name__ == "__main__":
    app()
