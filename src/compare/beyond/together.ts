/** What is said of layers together: one producer has one kernel, and two trainings differ everywhere. */
import type { Evidence } from '../../diagnose/finding/evidence.js';
import { productKernels } from '../../kernels/registry.js';
import type { Warning } from '../../nouns/problem.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';
import { listed } from '../../text.js';

/** Where several kernels would explain a layer, one that explains all of them is named and advised. */
export function withOneKernel(layers: readonly LayerReport[]): LayerReport[] {
  const departing = layers.flatMap(({ diagnosis }) => (diagnosis && isOfKernel(diagnosis) ? [diagnosis] : []));
  const named = new Set(departing.map(({ kernel }) => kernel));
  if (named.size < 2) return [...layers];
  const [{ explained_by: candidates }] = departing;
  const common = candidates.filter((name) => departing.every((one) => one.explained_by.includes(name)));
  const kernel = common.find((name) => named.has(name)) ?? common[0];
  if (kernel === undefined) return [...layers];
  return layers.map((layer) => {
    const { diagnosis } = layer;
    return diagnosis && isOfKernel(diagnosis) ? { ...layer, diagnosis: as(kernel, diagnosis) } : layer;
  });
}

/** A capture's own steps, as a kernel has them. */
function isOfKernel({ subject, kernel, explained_by, causes }: DiagnosisReport): boolean {
  return subject !== 'candidate' && kernel !== null && explained_by.length > 0 && !causes.includes('inherited');
}

/** The same finding of another kernel, in its advice too. */
function as(kernel: string, diagnosis: DiagnosisReport): DiagnosisReport {
  const { kernel: old, fix, fixes } = diagnosis;
  const renamed = (text: string) =>
    text
      .replaceAll(`as ${old} does`, `as ${kernel} does`)
      .replaceAll(`"kernel": "${old}"`, `"kernel": "${kernel}"`)
      .replaceAll(`--kernel ${old}`, `--kernel ${kernel}`);
  return {
    ...diagnosis,
    kernel,
    fix: fix && renamed(fix),
    fixes: fixes.map((one) => ({ ...one, text: renamed(one.text), ...renamedCode(one.code, renamed) })),
  };
}

function renamedCode(code: DiagnosisReport['fixes'][number]['code'], renamed: (text: string) => string) {
  return code ? { code: code.map((line) => ({ ...line, text: renamed(line.text) })) } : {};
}

/** A layer that agrees at least so far is of the same training (dB). */
const SAME_TRAINING = 10;

/**
 * Layers that differ by more than their own signal, by nothing that has a name or by all of their weights: a stale export, not a finding a
 * layer. Those without weights say nothing of it: a ReLU of the captured values agrees by 15 dB with another training's.
 */
export function ofTwoTrainings(layers: readonly LayerReport[]): Warning[] {
  const isDrowned = ({ sqnr_db: db }: LayerReport) => typeof db === 'number' && db < 0;
  if (layers.filter(isDrowned).length < 2) return [];
  const trained = layers.filter(({ op }) => productKernels(op).length > 0);
  const drowned = trained.filter(isDrowned);
  const agrees = trained.some(({ sqnr_db: db }) => db === 'inf' || (typeof db === 'number' && db > SAME_TRAINING));
  const isStale = ({ diagnosis }: LayerReport) =>
    diagnosis?.causes.some((cause) => cause === 'unexplained' || cause === 'weight-value');
  if (drowned.length < 2 || agrees || !drowned.some(isStale)) return [];
  const names = listed(
    drowned.map(({ name }) => name),
    8,
  );
  const message = `${names} differ by more than their own signal (SQNR below 0 dB): these look like two trainings; export the model and capture it again, together`;
  return [{ code: 'two-trainings', where: drowned[0].name, message }];
}

/** Values of several layers that stand in one other order: what writes them is to be mended once. */
export function ofOneOrder(layers: readonly LayerReport[]): Warning[] {
  const byRule = new Map<string, string[]>();
  for (const { name, diagnosis } of layers) {
    const { rule } = (diagnosis?.evidence as Evidence | undefined)?.['output-order'] ?? {};
    if (rule !== undefined) byRule.set(rule, [...(byRule.get(rule) ?? []), name]);
  }
  return [...byRule].flatMap(([rule, [where, ...others]]) => {
    if (others.length === 0) return [];
    const too = `${listed(others, 4)} ${others.length === 1 ? 'stands' : 'stand'} in the same other order (${rule})`;
    return [
      { code: 'one-order', where, message: `${too}: mend what writes values once, or put the candidate in order` },
    ];
  });
}
