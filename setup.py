"""What pyproject.toml cannot state: the app's settings stand in the wheel beside app.py."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SETTINGS = Path(".streamlit/config.toml")


class BuildWithSettings(build_py):  # type: ignore[misc]  # setuptools has no types
    """Also copies `.streamlit/config.toml`, a folder that is no package."""

    def run(self) -> None:
        """Build, then copy."""
        super().run()
        if not self.editable_mode:
            built = Path(self.build_lib) / SETTINGS
            built.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SETTINGS, built)


setup(cmdclass={"build_py": BuildWithSettings})
