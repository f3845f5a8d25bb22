"""What the engine costs beside named peers: ``python -m bench``, docs/bench.md."""
