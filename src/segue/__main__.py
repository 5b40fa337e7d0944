"""``python -m segue``: the command line."""

from segue.cli import main

if __name__ == "__main__":
    main()
