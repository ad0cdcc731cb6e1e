"""`python -m llara_train COMMAND ...`, the same as `llara-train COMMAND ...`."""

from llara_train.cli.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
