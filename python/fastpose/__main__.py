"""``python -m fastpose``: the command line."""

from fastpose.cli import app

if __name__ == "__main__":
    app(prog_name="fastpose")
