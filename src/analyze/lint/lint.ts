/** Before anything runs: what a layer's numbers can do on which kernel. Better with a capture: then what they did, too. */
import type { LintDocument, LintFinding, LintLayer } from '../../documents/lint.js';
import { declaredKernel } from '../../kernels/named.js';
import { kernelByName, runsLayer } from '../../kernels/registry.js';
import type { Capture } from '../../nouns/capture.js';
import { declaredParams, isProduct, type Layer, type Model } from '../../nouns/model.js';
import { ReplaySession } from '../../replay/session.js';
import type { LintCode } from './evidence.js';
import { notChecked } from './notChecked.js';
import type { Ranges } from './range.js';
import { rules } from './registry.js';
import { defectsOfValues, ofRelease } from './releaseDefects.js';
import type { Found, Rule } from './rule.js';
import { ofRuntime } from './runtime.js';
import { saturationOf } from './saturation.js';
import { type Subject, subjectOf } from './subject.js';
import { uncalibrated } from './uncalibrated.js';
import { fixOf, messageOf } from './words.js';

/** Lints every linear layer, and says which others it could not. Throws InputError for weights or values that turn out unreadable. */
export async function lint(model: Model, capture: Capture | null): Promise<LintDocument> {
  const kernel = declaredKernel(model.producer);
  const captured = capture && { capture, session: new ReplaySession(model, capture, kernel, 'isolated') };
  const document: LintDocument = {
    format: 'qdiff-lint',
    version: 1,
    findings: uncalibrated(model),
    layers: [],
    not_checked: notChecked(model.layers),
  };
  const params = declaredParams(model);
  for (const layer of model.layers) {
    for (const finding of ofRuntime(layer)) document.findings.push(finding);
    if (!isProduct(layer)) {
      const inputs = layer.inputs.map((name) => params.get(name) ?? null);
      const defects = layer.form ? defectsOfValues(layer, inputs).map(ofRelease) : [];
      document.findings.push(...defects.map((found) => inWords('kernel-defect', found, { layer }, null)));
      continue;
    }
    const subject = await subjectOf(model, layer, kernel, captured);
    const found = findings(subject);
    for (const finding of found) document.findings.push(finding);
    document.layers.push(summary(subject, found));
  }
  return document;
}

function findings(subject: Subject): LintFinding[] {
  const all: LintFinding[] = [];
  const add = (rule: Rule, found: readonly Found<LintCode>[] | undefined, channel: number | null) => {
    for (const one of found ?? []) all.push(...ofOwnRuntime(subject.layer, inWords(rule.code, one, subject, channel)));
  };
  for (const row of rules) {
    for (const rule of row) add(rule, rule.ofLayer?.(subject), null);
    const ofChannels = row.filter((rule) => rule.ofChannel);
    // of a million channels a list of what each rule found takes seconds
    for (let channel = 0; channel < (ofChannels.length > 0 ? subject.product.outFeatures : 0); channel++)
      for (const rule of ofChannels) add(rule, rule.ofChannel!(subject, channel), channel);
  }
  return all;
}

/** Of a graph that one runtime runs: what others cannot take is no finding. */
function ofOwnRuntime(layer: Layer, finding: LintFinding): LintFinding[] {
  if (layer.arithmetic === undefined && !layer.delegates) return [finding];
  const own = finding.kernels.filter((name) => {
    const kernel = kernelByName(name);
    return layer.delegates ? runsLayer(layer, kernel) : kernel.opsInFloat;
  });
  return finding.kernels.length > 0 && own.length === 0 ? [] : [{ ...finding, kernels: own }];
}

function inWords(
  code: LintCode,
  found: Found<LintCode>,
  { layer }: { readonly layer: Layer },
  channel: number | null,
): LintFinding {
  return {
    code,
    severity: found.severity,
    channel,
    kernels: [...found.kernels],
    message: messageOf(code, found),
    fix: fixOf(code, found),
    evidence: { ...found.evidence },
    layer: layer.name,
  };
}

function summary(subject: Subject, found: readonly LintFinding[]): LintLayer {
  const { layer, range, worst, observed } = subject;
  const int16_saturation = saturationOf(subject, found);
  return {
    name: layer.name,
    op: layer.op,
    accumulator_bits: { worst: bitsOfAll(worst), observed: observed && bitsOfAll(observed.accumulators) },
    input_range: {
      worst: [range.codes.lo, range.codes.hi],
      observed: observed && [observed.codes.lo, observed.codes.hi],
    },
    ...(int16_saturation ? { int16_saturation } : {}),
  };
}

function bitsOfAll({ lo, hi }: Ranges): number {
  let most = 1;
  for (const ends of [lo, hi]) for (const end of ends) most = Math.max(most, bitsOf(end));
  return most;
}

/** Bits of the narrowest two's complement integer that holds a value: -128 takes 8, 128 takes 9. */
export function bitsOf(value: number): number {
  const magnitude = value < 0 ? -value - 1 : value;
  return magnitude === 0 ? 1 : Math.floor(Math.log2(magnitude)) + 2;
}
