"""Grids of pictures: ranks, maps, ledgers, datasets."""
