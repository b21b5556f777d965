"""What the tests need beside Python: Chromium, a Chinese font, a Java for Spark.

`python -m tests.install` sees to it.

As root they are installed; else a line says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

PACKAGES = ("chromium", "fonts-noto-cjk")
JAVAS = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The path of a Chromium that starts, or None."""
    for path in _list_chromiums():
        if path and _answers([path, "--version"]):
            return path
    return None


def _list_chromiums() -> Iterator[str | None]:
    yield from map(shutil.which, NAMES)
    yield _playwrights_own()  # asked last: it cannot be where playwright runs already


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def has_chinese_font() -> bool:
    """Whether some font draws Chinese; without one the pictures would show boxes."""
    found = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False)
    return found.returncode == 0 and bool(found.stdout.strip())


def java() -> bool:
    """Whether a Java is there that Spark starts with."""
    return _answers(["java", "--add-modules", "jdk.incubator.vector", "-version"])


def _answers(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def ready() -> bool:
    """Whether nothing is left to install."""
    fonts = shutil.which("fc-list") is not None and has_chinese_font()
    return chromium() is not None and fonts and java()


def main() -> int:
    """Installs what is missing; the exit code."""
    if ready():
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        needed = " ".join((*PACKAGES, "fontconfig", *JAVAS[:1]))
        print(f"The tests need packages: apt-get install {needed}", file=sys.stderr)
        return 1
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    given = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=given, check=True)
    subprocess.run([*install, "fonts-noto-cjk", "fontconfig"], env=given, check=True)
    if chromium() is None:
        subprocess.run([*install, "chromium"], env=given, check=False)
    for package in JAVAS:
        if not java():
            subprocess.run([*install, package], env=given, check=False)
    if chromium() is None:  # Ubuntu's package is a stub of another store
        command = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
        subprocess.run(command, check=True)
    if ready():
        return 0
    what = "Chromium" if chromium() is None else "Java 17 or 21" if not java() else "A Chinese font"
    print(f"{what} could not be installed; install it by hand.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
