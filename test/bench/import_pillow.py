"""Open the header of every picture below a folder and hash its bytes, in some processes; nothing is stored.

    python import_pillow.py FOLDER PROCESSES

Prints {"seconds": ..., "files": ...} as its last line; starting Python and loading Pillow is not counted.
"""

import hashlib
import io
import json
import multiprocessing
import os
import sys
import time

from PIL import Image


def look(path):
    with open(path, "rb") as file:
        data = file.read()
    with Image.open(io.BytesIO(data)) as image:
        return image.format, image.size, hashlib.sha256(data).hexdigest()


def walk(folder):
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield os.path.join(parent, name)


if __name__ == "__main__":
    Image.init()
    started = time.perf_counter()
    with multiprocessing.Pool(int(sys.argv[2])) as pool:
        files = sum(1 for _ in pool.imap(look, walk(sys.argv[1]), chunksize=256))
    print(json.dumps({"seconds": time.perf_counter() - started, "files": files}))
