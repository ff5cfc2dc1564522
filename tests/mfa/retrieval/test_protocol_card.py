"""What a card says of the lists, alike for runs and for models from elsewhere."""

from __future__ import annotations

from pathlib import Path

from mfa.records import ReidDataset, Sample
from mfa.retrieval.protocol_card import split_words


def listed(query: list[str], gallery: list[str]) -> ReidDataset:
    sides = [tuple(Sample(Path(name), 1) for name in names) for names in (query, gallery)]
    return ReidDataset("partial_reid", Path(), (), *sides, "0" * 32)


def test_lists_of_a_partial_set_are_told_by_their_folders() -> None:
    partial = listed(["partial_body_images/1.jpg"], ["whole_body_images/1.jpg"])
    assert split_words(partial) == "partial_body_images against whole_body_images"
    usual = listed(["query/1.jpg"], ["bounding_box_test/1.jpg", "whole_body_images/1.jpg"])
    assert split_words(usual) == "query against gallery"
