"""Settings of the synthetic set."""

from __future__ import annotations

from dataclasses import dataclass

from mfa.errors import InputError

_VIEWS = " (two cameras, two pictures each)"

LEAST = {
    **dict.fromkeys(("train_ids", "test_ids", "groups", "partial_ids", "partial_images"), (1, "")),
    **dict.fromkeys(("train_images", "test_images"), (4, _VIEWS)),
    **dict.fromkeys(("distractors", "junk"), (0, "")),
}
"""The least value of a setting, and why."""


@dataclass(frozen=True)
class SyntheticConfig:
    """How many pictures of whom, how large and how hard. Equal settings give equal bytes."""

    train_ids: int = 100
    """Identities of the training list."""
    test_ids: int = 100
    """Identities of query and gallery; none of them is in the training list."""
    train_images: int = 12
    """Pictures of each training identity, two or more from every camera that saw it."""
    test_images: int = 8
    """Pictures of each test identity; one of each camera is a query, the rest are gallery."""
    distractors: int = 80
    """Gallery pictures of people who are nobody's match (pid 0000)."""
    junk: int = 40
    """Gallery pictures of badly placed boxes, never counted (pid -1)."""
    cameras: int = 6
    """Cameras; the first six differ in scene, tint, viewing angle, scale and blur by design."""
    height: int = 128
    """Pixels, top to bottom."""
    width: int = 64
    """Pixels, left to right."""
    groups: int = 5
    """Pairs of upper and lower garment colour that all people share: fewer is harder, because
    colour alone then separates fewer of them."""
    nuisance: float = 0.4
    """Share of pictures with a fault: box misaligned, person small in it, lower body covered,
    other people behind, or body cut off."""
    partial_ids: int = 60
    """Identities of the partial set; Partial-REID has 60."""
    partial_images: int = 5
    """Pictures of each identity in each of its three folders; Partial-REID has 5."""
    seed: int = 0
    """Another seed gives other people, other cameras' views and other faults."""

    def __post_init__(self) -> None:
        for name, (least, why) in LEAST.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} must be {least} or more{why}, got {getattr(self, name)}")
        if not 2 <= self.cameras <= 9:
            raise InputError(f"cameras must be 2 to 9, got {self.cameras}")
        if min(self.height, self.width) < 16 or self.height > 1024:
            raise InputError(
                "the height is at most 1024 pixels and both sides at least 16, got "
                f"{self.height}x{self.width}"
            )
        if not 0.4 <= self.width / self.height <= 1:
            raise InputError(
                f"a picture of a person is 1 to 2.5 times as high as wide, got "
                f"{self.height}x{self.width}"
            )
        if not 0 <= self.nuisance <= 1:
            raise InputError(f"nuisance is a share, 0 to 1, got {self.nuisance}")
        if self.train_ids + self.test_ids > 9999:
            raise InputError(
                "Market-1501's names have room for 9999 identities in all, got "
                f"{self.train_ids + self.test_ids}"
            )
        for name, value in vars(self).items():
            if name != "seed" and value > 100_000:
                raise InputError(f"{name} must be 100,000 or less, got {value:,}")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"seed must be 0 to 2**32 - 1, got {self.seed}")
