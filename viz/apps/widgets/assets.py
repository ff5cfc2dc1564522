"""The scripts and styles of the widgets, as text."""

from pathlib import Path


def text(name: str) -> str:
    """A file beside this one.

    As text, since anywidget keeps every widget whose script is a file for good, in order to tell it
    when the file changes.
    """
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
