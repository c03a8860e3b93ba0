/** JUnit XML for CI servers: a suite a model, a case a layer. Valid under the schemas of Jenkins and of Ant. */

import { accumulatorsDiffer, differs, judged } from '../compare/judged.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { printable } from '../text.js';
import { worstFirst } from './arrange.js';
import { baselineSentences } from './baseline.js';
import type { Reporter, ReportOptions, Run } from './reporter.js';
import { findingText } from './words/finding.js';
import { findingsOf } from './words/findings.js';
import {
  accumulatorSentence,
  channelSentence,
  differingChannels,
  extentOf,
  firstMismatch,
  requiredButMissing,
  verdict,
  whyOf,
} from './words/verdict.js';
import { empty, open, xml } from './xml.js';

const DEFAULT_CHANNELS = 256;
/** Ant's schema wants a time; a clock would make every run's bytes differ. */
const NO_CLOCK = '1970-01-01T00:00:00';

export const junit: Reporter = (runs, options) => {
  const suites = runs.map((run, id) => suite(run, id, options));
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites.flat(), '</testsuites>', ''].join('\n');
};

/** What all cases of a suite share. */
interface Suite extends Run {
  readonly required: ReadonlySet<string>;
  readonly tellOf: ReturnType<typeof findingsOf>;
  readonly options: ReportOptions;
}

function suite(run: Run, id: number, options: ReportOptions): string[] {
  const { name, report } = run;
  const layers = judged(report);
  const required = requiredButMissing(report);
  const shared: Suite = { ...run, required, tellOf: findingsOf(report), options };
  const isFailure = (layer: LayerReport) => differs(layer) || accumulatorsDiffer(layer) || required.has(layer.name);
  const failures = layers.filter(isFailure).length;
  const skipped = layers.filter((layer) => layer.values === null && !layer.accumulator && !isFailure(layer)).length;
  const attributes = {
    name,
    package: 'qdiff',
    id,
    timestamp: NO_CLOCK,
    hostname: 'localhost',
    tests: layers.length,
    failures,
    errors: 0,
    ...(skipped > 0 ? { skipped } : {}),
    time: 0,
  };
  const properties = Object.entries({
    model: report.model,
    capture: report.capture,
    ...(report.candidate === null ? {} : { candidate: report.candidate }),
    ...(report.against === 'replay' ? { against: report.against } : {}),
    mode: report.mode,
    kernel: report.kernel,
    samples: report.samples,
  });
  return [
    `  ${open('testsuite', attributes)}`,
    '    <properties>',
    ...properties.map(([key, value]) => `      ${empty('property', { name: key, value })}`),
    '    </properties>',
    ...layers.flatMap((layer) => testcase(layer, shared)),
    `    <system-out>${notes(report).map(xml).join('\n')}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
  ];
}

function testcase(layer: LayerReport, shared: Suite): string[] {
  const attributes = { name: layer.name, classname: shared.name, time: 0 };
  const outcome = outcomeOf(layer, shared);
  if (outcome === null) return [`    ${empty('testcase', attributes)}`];
  return [`    ${open('testcase', attributes)}`, `      ${outcome}`, '    </testcase>'];
}

function outcomeOf(layer: LayerReport, shared: Suite): string | null {
  const { report, required } = shared;
  const why = whyOf(layer, report);
  if (required.has(layer.name) && !differs(layer)) {
    const message = `required, but ${why || 'not replayed'}`; // equal to the capture, as a candidate's may be
    return `${open('failure', { message, type: layer.status })}</failure>`;
  }
  if (accumulatorsDiffer(layer)) {
    return `${open('failure', { message: accumulatorSentence(layer)!, type: 'mismatch' })}</failure>`;
  }
  if (layer.accumulator && layer.values === null) return null;
  if (layer.values === null) return `<skipped>${xml(why)}</skipped>`;
  if (!differs(layer)) return null;
  const attributes = { message: `${extentOf(layer)}: ${why}`, type: layer.status };
  const text = failureLines(layer, shared).map(xml).join('\n');
  return `${open('failure', attributes)}${text}</failure>`;
}

/** First mismatch, what the baseline says, the finding, the worst channels. */
function failureLines(layer: LayerReport, { report, tellOf, options }: Suite): string[] {
  const first = firstMismatch(layer);
  const shown = worstFirst(layer.channels ?? [], options.channels ?? DEFAULT_CHANNELS);
  const more = differingChannels(layer) - shown.length;
  return [
    ...(first ? [first] : []),
    ...baselineSentences(report, layer.name),
    ...tellOf([layer]).flatMap(findingText),
    ...shown.map(channelSentence),
    ...(more > 0 ? [`and ${more} more channels`] : []),
  ];
}

/** What is no failure, and still worth reading. */
function notes(report: Report): string[] {
  const accepted = judged(report).filter((layer) => layer.accepted !== null);
  return [
    verdict(report).line,
    ...accepted.map((layer) => `${printable(layer.name)}: ${extentOf(layer)}: ${whyOf(layer, report)}`),
    ...baselineSentences(report),
    ...report.warnings.map(({ where, message }) => `${where}: ${message}`),
  ];
}
