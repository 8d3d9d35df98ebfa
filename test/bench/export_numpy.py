"""The peer of `npm run bench -- export`: what one would write with NumPy and Pillow.

export_numpy.py TASKS OUT SHARD SHARDS makes every SHARDS-th picture of TASKS, from the SHARD-th on. A line of TASKS is
{file, width, height, source, crop, context: null or {source, mask, crop, lambda}} and a crop {resized, left, top} as in
the plan of an export. The first line is {png: level} or {jpeg: quality}.
"""
import json, os, sys
import numpy as np
from PIL import Image

tasks, out, shard, shards = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def load(path, mode, crop, width, height):
    picture = Image.open(path)
    size = (crop['resized']['width'], crop['resized']['height'])
    if mode == 'RGB':
        picture.draft(mode, size)  # a JPEG is decoded at a half, a quarter or an eighth, where that is large enough
    picture = picture.convert(mode).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(picture)[crop['top'] : crop['top'] + height, crop['left'] : crop['left'] + width]


with open(tasks) as lines:
    settings = json.loads(next(lines))
    for number, line in enumerate(lines):
        if number % shards != shard:
            continue
        task = json.loads(line)
        size, context = (task['width'], task['height']), task['context']
        pixels = load(task['source'], 'RGB', task['crop'], *size)
        if context:
            paste = load(context['source'], 'RGB', context['crop'], *size)
            mask = load(context['mask'], 'L', context['crop'], *size)
            a = (context['lambda'] / 255 * mask)[:, :, None]
            pixels = (a * paste + (1 - a) * pixels + 0.5).astype(np.uint8)
        path = os.path.join(out, task['file'])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if 'png' in settings:
            Image.fromarray(pixels).save(path, compress_level=settings['png'])
        else:
            Image.fromarray(pixels).save(path, quality=settings['jpeg'], subsampling=0)
