"""Teachers (bi-encoder or cross-encoder), and the texts and vectors they pass on."""
