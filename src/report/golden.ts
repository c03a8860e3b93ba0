/** What the golden command says of the folder that it made. */

import type { GoldenManifest } from '../documents/golden.js';
import { GOLDEN } from '../frontends/goldenVectors.js';
import { counted, listed, printable } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { option, path, shellCommand } from './words/next.js';
import { prose } from './words/prose.js';
import { skippedNotes } from './words/skipped.js';

export function goldenText(folder: string): (manifest: GoldenManifest, options: ReportOptions) => string {
  return (manifest, options) => {
    const { ink } = options;
    const { kernel, equation, layers, values = [], samples, files, skipped } = manifest;
    const lines = [
      ...prose(
        { options },
        `golden vectors of kernel ${kernel} in ${printable(folder)}: ${counted(layers.length + values.length, 'layer')}, ${counted(samples, 'sample')}`,
      ).map((line) => ink.bold(line)),
      ...(layers.length > 0 ? [equation, checkedTwice(values.length > 0)] : equationsOf(values)).flatMap((line) =>
        prose({ options }, line),
      ),
      ...manifest.captured.flatMap(({ layer, values, mismatched }) => {
        const text = mismatched === 0 ? 'as captured' : `${mismatched} of ${values} captured values differ from it`;
        return prose({ options }, `${printable(layer)}: ${text}`);
      }),
      ...files.slice(0, 24).map(({ name }) => `  ${name}`),
      ...(files.length > 24 ? [`  and ${files.length - 24} more`] : []),
      '  manifest.json',
      ...skippedNotes(skipped, options),
      ...withoutC(manifest).flatMap((note) => prose({ options }, note)),
    ];
    const run = manifest.data === 'c' ? ' && ./reference' : '';
    const command = shellCommand(nextWords(manifest, folder));
    const next = command && command + run;
    return `${lines.join('\n')}\n${next === null ? '' : `next: ${ink.cyan(next)}\n`}`;
  };
}

function checkedTwice(areOthers: boolean): string {
  const which = areOthers ? 'every output of a layer with weights' : 'every output';
  return `${which} was computed by the replay and by the recipe in the manifest: they are equal`;
}

/** The kernel's is of layers with weights. */
function equationsOf(values: NonNullable<GoldenManifest['values']>): string[] {
  const all = [...new Set(values.map(({ op, equation }) => `${op}: ${equation}`))];
  return all.length > MOST_EQUATIONS ? [...all.slice(0, MOST_EQUATIONS), 'the others are in the manifest'] : all;
}

const MOST_EQUATIONS = 3;

function withoutC({ data, values = [] }: GoldenManifest): string[] {
  const names = data === 'c' ? values.flatMap(({ name, in_c }) => (in_c === false ? [name] : [])) : [];
  if (names.length === 0) return [];
  return [
    `note: of ${listed(names, 3)} reference.c has no function: golden.h has the vectors, the manifest the equation`,
  ];
}

function nextWords({ data, model, capture, captured, kernel }: GoldenManifest, folder: string): string[] {
  const at = folder.replace(/\/+$/, '');
  const inputs = [...new Set([path(model), path(capture)])]; // a hook dictionary is both
  // what another kernel ran is no judge of these vectors: an RTL that equals them would differ from it
  const isCapture = captured.length > 0 && captured.every(({ mismatched }) => mismatched === 0);
  const against = isCapture ? [] : ['--against', 'replay', '--kernel', kernel];
  if (data === 'c') return ['cc', '-o', 'reference', path(`${at}/reference.c`)];
  if (data === 'memh') return ['qdiff', ...inputs, ...option('--candidate', folder), ...against];
  return ['qdiff', 'inspect', path(data === 'npz' ? `${at}/${GOLDEN}` : model)];
}
