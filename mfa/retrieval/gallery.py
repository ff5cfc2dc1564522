"""Which gallery pictures count for which query.

The gallery is put in order of identity: the pictures of a query's own person are one slice, junk is
the slice at the start, and ranking searches for nothing.
"""

from __future__ import annotations

import numpy as np

from mfa.records import JUNK, NO_CAMERA, FeatureSet

COUNTED = "counted"
"""Status of a query that is part of the figures."""


class GroupedGallery:
    """The gallery in order of identity, seen from a list of queries.

    Junk (pid -1) never counts. With the camera filter a gallery picture of the query's own person
    by the query's own camera does not count either; an unknown camera equals no camera.

    Attributes:
        order: (G,) positions in the gallery as given, grouped by identity, junk first.
        junk: number of junk pictures; columns ``[junk:]`` are the ones that may count.
        pids, camids: (G,) in that order.
        start, stop: (Q,) columns of each query's own identity.
        camera_filter: whether same-camera pictures of the same person are left out.
    """

    def __init__(self, query: FeatureSet, gallery: FeatureSet, camera_filter: bool) -> None:
        self.camera_filter = camera_filter
        self.order = np.lexsort((gallery.pids, gallery.pids != JUNK))
        self.pids = np.asarray(gallery.pids)[self.order]
        self.camids = np.asarray(gallery.camids)[self.order]
        self.junk = int(np.count_nonzero(self.pids == JUNK))
        self._query = query
        counted = self.pids[self.junk :]
        self.start = self.junk + np.searchsorted(counted, query.pids, "left")
        self.stop = self.junk + np.searchsorted(counted, query.pids, "right")

    def counts(self, query: int) -> np.ndarray:
        """Which of columns ``start:stop`` of a query are its positives, bool."""
        own = self.camids[self.start[query] : self.stop[query]]
        camera = self._query.camids[query]
        if not self.camera_filter or camera == NO_CAMERA:
            return np.ones(len(own), dtype=bool)
        return np.asarray(own != camera)

    def positives(self) -> np.ndarray:
        """(Q,) number of positives of each query."""
        return np.array([int(self.counts(i).sum()) for i in range(len(self.start))])

    def valid(self, query: int) -> np.ndarray:
        """(G,) bool: which columns take part in the ranking of a query."""
        valid = np.ones(len(self.order), dtype=bool)
        valid[: self.junk] = False
        valid[self.start[query] : self.stop[query]] = self.counts(query)
        return valid

    def why_dropped(self, query: int) -> str:
        """In words, why a query without positives cannot be scored."""
        pid, camera = self._query.pids[query], self._query.camids[query]
        own = int(self.stop[query] - self.start[query])
        if pid == JUNK:
            return "query is junk (pid -1)"
        if not own:
            return f"no gallery picture of identity {pid}"
        return (
            f"all {own} gallery pictures of identity {pid} are by the query's own camera {camera} "
            "and the camera filter leaves them out"
        )
