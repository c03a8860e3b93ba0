import { expect, test } from 'vitest';
import { kindOf } from '../../src/frontends/kind.js';
import { memoryFiles } from '../support/memoryFiles.js';

const zip = Buffer.from('PK\x03\x04');

test.each([
  ['model.pth', zip, 'got a file of torch.save; qdiff exporter pytorch > qdiff_export.py'],
  ['model.keras', zip, 'got a model of Keras or TensorFlow; convert it with tf.lite.TFLiteConverter'],
  ['model.xml', '<?xml version="1.0"?>', 'got a runtime’s own format; hand in the .onnx or .tflite'],
])('%s is another format, and what to hand in is said', async (name, data, message) => {
  const kind = kindOf(memoryFiles({ [name]: data }), name);
  await expect(kind).rejects.toThrow(message.replace('’', "'"));
});

test('the content is believed before the name', async () => {
  const files = memoryFiles({ 'model.pb': '{"format": "qdiff-model"}', 'mine.npz': zip });
  expect(await kindOf(files, 'model.pb')).toBe('json');
  expect(await kindOf(files, 'mine.npz')).toBe('npz');
});
