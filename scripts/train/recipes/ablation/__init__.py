"""The ablation of docs/ablation.md: `python -m recipes.ablation`."""
