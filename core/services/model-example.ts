/** A few lines of Python that use an exported ONNX file; a bench of ours runs them as they stand. */
import type { ModelCard } from '../models/model-card.ts';
import { resizedSide } from '../predict/preprocessing-text.ts';

/** A block of Markdown. */
export function pythonExample(card: Pick<ModelCard, 'preprocessing'>): string {
  return `\`\`\`python
${pythonScript(card)}\`\`\``;
}

/** Prints the five most probable classes of the pictures that are its arguments. Needs onnxruntime, numpy and Pillow. */
export function pythonScript(card: Pick<ModelCard, 'preprocessing'>): string {
  const { inputSize } = card.preprocessing;
  return `import json, sys
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("model.onnx")
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])

def load(path, side=${resizedSide(card)}, size=${inputSize}):
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    scale = side / min(picture.size)
    width, height = (max(size, round(length * scale)) for length in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size + 1) // 2, (height - size + 1) // 2
    picture = picture.crop((left, top, left + size, top + size))
    return np.asarray(picture, np.float32).transpose(2, 0, 1)

pictures = np.stack([load(path) for path in sys.argv[1:]])
(probabilities,) = session.run(["probabilities"], {"image": pictures})
for path, row in zip(sys.argv[1:], probabilities):
    print(path, [(labels[i], float(row[i])) for i in row.argsort()[::-1][:5]])
`;
}
