"""The package as it is installed: typed, pure, and of three dependencies."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import zipfile

from client_fleet import REPOSITORY

FOLDER = REPOSITORY / "tools/python"


def test_the_package_is_typed_throughout(tmp_path: pathlib.Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir", str(tmp_path)], cwd=FOLDER,
        env=os.environ | {"MYPYPATH": "src"}, capture_output=True, text=True, timeout=600)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_wheel_is_pure_and_holds_everything(tmp_path: pathlib.Path) -> None:
    copy = tmp_path / "package"
    subprocess.run(["cp", "-r", str(FOLDER), str(copy)], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(copy)],
        check=True, capture_output=True, timeout=600)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = next(archive.read(name).decode() for name in names if name.endswith("METADATA"))
    sources = {str(path.relative_to(FOLDER / "src")) for path in (FOLDER / "src").rglob("*") if path.suffix in (".py", ".typed")}
    assert sources <= names
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra" not in line]
    assert len(needed) == 3 and {line.split()[1].split(">")[0] for line in needed} == {"numpy", "pyzmq", "msgpack"}
