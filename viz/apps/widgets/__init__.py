"""The few widgets that ipywidgets does not have, and what holds them to the page."""

from viz.apps.widgets.link import Link
from viz.apps.widgets.scripted import Address, Cards, Code, Item, Keep, Picture, Table, Upload

__all__ = ["Address", "Cards", "Code", "Item", "Keep", "Link", "Picture", "Table", "Upload"]
