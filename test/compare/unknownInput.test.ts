/** What a layer read that nothing explains: what is not known of it is said. */
import { expect, test } from 'vitest';
import { unknownInput } from '../../src/compare/candidate/unknownInput.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';

const [MODEL, CAPTURE] = ['model.tflite', 'captured-ref.npz'].map((name) => `fixtures/tflite/cnn-int8/${name}`);

test('an input of the model that may have been prepared otherwise, and one that is there', async () => {
  const model = await openModel(nodeFileSystem, MODEL);
  const capture = await openCapture(nodeFileSystem, CAPTURE, model);
  const [input] = model.inputs;
  const first = model.layers.find(({ inputs }) => inputs.includes(input.name))!;
  const only = (...names: string[]) => ({
    ...capture,
    values: new Map(names.map((name) => [name, capture.values.get(name)!])),
  });
  expect(unknownInput(model, only(first.name), first)).toContain(`save what yours read as ${input.name} too`);
  expect(unknownInput(model, only(first.name, input.name), first)).toBeNull();
  const beside = new Map([...only(first.name).values, [`${first.name}.input`, capture.values.get(input.name)!]]);
  expect(unknownInput(model, { ...capture, values: beside }, first)).toBeNull();
});
