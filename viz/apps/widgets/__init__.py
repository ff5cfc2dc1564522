"""The few widgets that ipywidgets does not have, as anywidgets: each a class and a script."""

from viz.apps.widgets.address import Address
from viz.apps.widgets.cards import Cards, Item
from viz.apps.widgets.code import Code
from viz.apps.widgets.link import Link
from viz.apps.widgets.picture import Picture
from viz.apps.widgets.table import Table
from viz.apps.widgets.upload import Upload

__all__ = ["Address", "Cards", "Code", "Item", "Link", "Picture", "Table", "Upload"]
