"""The apps as a web page."""
