"""The bundled model, llara-mini: `python -m recipes.mini`."""
