"""Builds wheels with the files that come with the product in ``mfa/shipped``."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("data/published", "data/results", "data/weights", "docs/images", "notebooks")
"""What ``mfa.files.shipped`` finds: beside the package in a checkout, inside it in a wheel."""


class BuildWithFiles(build_py):
    """Copies them after the packages. An editable install reads the checkout instead."""

    def run(self) -> None:
        """Build."""
        super().run()
        if not self.editable_mode:
            for folder in SHIPPED:
                shutil.copytree(
                    folder,
                    Path(self.build_lib, "mfa/shipped", folder),
                    ignore=shutil.ignore_patterns(".*", "__pycache__"),
                    dirs_exist_ok=True,
                )


setup(cmdclass={"build_py": BuildWithFiles})
