"""Fixtures of the TypeScript tests: `python -m recipes.golden`."""
