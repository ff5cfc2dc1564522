"""The few widgets ipywidgets does not have, as anywidgets: each a class and a script."""

from viz.apps.widgets.cards import Cards, Item
from viz.apps.widgets.picture import Picture
from viz.apps.widgets.slider import Slider

__all__ = ["Cards", "Item", "Picture", "Slider"]
