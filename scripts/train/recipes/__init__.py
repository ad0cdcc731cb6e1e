"""How this repository's own artefacts are made with `llara_train`: the bundled model, the ablation, test fixtures."""
