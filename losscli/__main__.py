"""`python -m losscli` is `losscli`."""

import sys


def main() -> None:
    """The command line; Ctrl-C while it is still being imported ends it as at any later moment."""
    try:
        from losscli.cli.app import main as start
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    start()


if __name__ == "__main__":
    main()
