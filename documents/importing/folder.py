"""The files of a folder that are documents.

Left out: hidden files and folders, symbolic links (so no loop is walked and nothing outside the
folder is taken in), and whatever is no regular file.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def files_in(folder: Path, on_error: Callable[[OSError], object]) -> Iterator[Path]:
    """The files of the folder and of its folders, sorted. A folder that cannot be read is told."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            on_error(error)
            continue
        shown = [entry for entry in entries if not entry.name.startswith(".")]
        folders = [Path(entry) for entry in shown if entry.is_dir(follow_symlinks=False)]
        waiting += reversed(folders)
        yield from (Path(entry) for entry in shown if entry.is_file(follow_symlinks=False))
