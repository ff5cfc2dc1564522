"""The few widgets ipywidgets does not have, as anywidgets: each a class and a script."""

from viz.apps.widgets.cards import Cards, Item
from viz.apps.widgets.ears import Ears
from viz.apps.widgets.picture import Picture
from viz.apps.widgets.slider import Slider
from viz.apps.widgets.table import Table
from viz.apps.widgets.upload import Upload

__all__ = ["Cards", "Ears", "Item", "Picture", "Slider", "Table", "Upload"]
