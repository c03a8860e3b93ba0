/** A model trained with fake quantization as candidate: its npz brings the model that computed it, and each reason is replayed. */
import { expect, it } from 'vitest';
import { bringsModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { LayerReport, Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';

const folder = 'fixtures/pytorch/qat';
const qdiff = cli();
const files = [`${folder}/model.json`, `${folder}/capture.npz`];

async function compared(...options: string[]): Promise<Report> {
  const { stdout } = await qdiff([...files, ...options, '--reporter', 'json']);
  return JSON.parse(stdout);
}

const causes = (report: Report) =>
  report.candidate_layers!.map(({ name, diagnosis }) => `${name}: ${(diagnosis?.causes ?? []).join(' + ')}`);

const layer = (report: Report, name: string): LayerReport => report.candidate_layers!.find((one) => one.name === name)!;

it('every value is explained by what the float model multiplies and quantizes by', async () => {
  const report = await compared('--candidate', `${folder}/qat.npz`);
  expect(causes(report)).toEqual([
    'quant: ',
    'stem: weight-scale-wrong',
    'norm: inherited',
    'relu: inherited',
    'body: inherited + weight-scale-wrong',
    'skip: inherited',
    'pool: inherited + float-arithmetic',
    'flatten: inherited',
    'fc: inherited + float-arithmetic + weight-scale-wrong',
    'gate: inherited',
    'dequant: inherited',
  ]);
  for (const { diagnosis } of report.candidate_layers!) expect(diagnosis?.explained).toBe(diagnosis?.of);
});

it('what differs and changes no value is said of the files, and is no reason', async () => {
  const report = await compared('--candidate', `${folder}/qat.npz`);
  const fields = new Set(report.model_differences!.map(({ field }) => field));
  expect([...fields].sort()).toEqual(['op', 'quant_max', 'scale', 'weight', 'weight_scale']);
  expect(layer(report, 'stem').diagnosis!.evidence).not.toHaveProperty('clamp-range');
});

it("the fused fake quantization's scales are told by their rule", async () => {
  const report = await compared('--candidate', `${folder}/qat.npz`);
  expect(layer(report, 'stem').diagnosis!.fixes[0].text).toContain('divides a weight');
  const { found } = layer(report, 'fc').diagnosis!.evidence['weight-scale-wrong'] as {
    found: { declared: number; found: number }[];
  };
  for (const { declared, found: own } of found) expect(own / declared).toBeGreaterThan(127.5 / 128 - 1e-6);
});

it('how much came with the input is counted', async () => {
  const { diagnosis } = layer(await compared('--candidate', `${folder}/qat.npz`), 'body');
  expect(diagnosis!.evidence.inherited).toMatchObject({ from: 'relu', values: 270 });
});

it('the same file as --candidate-model is not replayed: it has values', async () => {
  const [own, asModel] = [
    await compared('--candidate', `${folder}/qat.npz`),
    await compared('--candidate-model', `${folder}/qat.npz`),
  ];
  expect(causes(asModel)).toEqual(causes(own));
});

it('is a model by itself, whose replay gives its values', async () => {
  const { stdout } = await qdiff([`${folder}/qat.npz`, `${folder}/qat.npz`, '--reporter', 'json']);
  const report: Report = JSON.parse(stdout);
  expect([report.verdict, report.kernel, report.replayed]).toEqual(['match', 'pt2e-reference', report.total]);
});

it('a capture brings none', async () => {
  expect(await bringsModel(nodeFileSystem, `${folder}/qat.npz`)).toBe(true);
  expect(await bringsModel(nodeFileSystem, `${folder}/capture.npz`)).toBe(false);
});
