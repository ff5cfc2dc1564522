"""Readers of datasets, the synthetic set, and how pictures become batches."""

from mfa.datasets.loading.decode import read_image
from mfa.datasets.readers.find import LAYOUTS
from mfa.datasets.readers.load import data_root, load_dataset

__all__ = ["LAYOUTS", "data_root", "load_dataset", "read_image"]
