/** A page for the browser: one file, no network. This file fills the page that the build made (report/page). */

import { differs, judged } from '../compare/judged.js';
import { fileNames } from '../load/fileName.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { counted, printable, withShortWords } from '../text.js';
import { baselineSentences } from './baseline.js';
import { type Card, cardsOf, isDeclared } from './cards.js';
import { layerNumbers } from './layerNumbers.js';
import { modelsSaid } from './modelDifferences.js';
import type { PageData } from './page/data.js';
import { channelExcess, pageRun } from './pageData.js';
import type { Reporter, ReportOptions, Run } from './reporter.js';
import { outcomes } from './words/answers.js';
import { divergenceSentences } from './words/divergences.js';
import type { FindingDetail } from './words/finding.js';
import { firstWords, notes } from './words/firstWords.js';
import { nextCommand } from './words/next.js';
import { percent, total } from './words/numbers.js';
import {
  expectedSource,
  extentOf,
  firstDivergence,
  firstDivergenceLabel,
  firstMismatch,
  uncomparedInRuns,
  verdict,
  whyOf,
} from './words/verdict.js';

const MOST_LAYERS_IN_TEXT = 500;
const MOST_LAYERS_OF_A_CARD = 8;
const MOST_WARNINGS = 100;
const MOST_SHARES = 8;

export const html: Reporter = (unordered, options) => {
  const [start, afterTitle, afterContent, end] = partsOf(options.page);
  const runs = failingFirst(unordered);
  const addresses = addressesOf(runs);
  const cards = runs.map(({ report }) => cardsOf(report));
  const excess = channelExcess(runs);
  const page: PageData = { runs: runs.map((run, i) => pageRun(run, addresses[i], cards[i], excess, options)) };
  const sections = runs.map((run, i) => section(run, i, cards[i], options, runs.length > 1));
  return [
    start,
    text(titleOf(runs)),
    afterTitle,
    runs.length > 1 ? `${summary(runs)}\n` : '',
    sections.join('\n'),
    afterContent,
    scriptData(page),
    end,
  ].join('');
};

/** What differs first, then what was compared in part, then what is accepted, then what is equal. */
function failingFirst(runs: readonly Run[]): Run[] {
  const rank = ({ report }: Run) => ['mismatch', 'partial', 'accepted', 'match'].indexOf(stateOf(report));
  return [...runs].sort((a, b) => rank(a) - rank(b));
}

/** Two models may have one name. */
function addressesOf(runs: readonly Run[]): string[] {
  const names = runs.map(({ name }, i) => (runs.findIndex((run) => run.name === name) === i ? name : `${name}.${i}`));
  const addresses = fileNames(names);
  return names.map((name) => addresses.get(name)!);
}

function stateOf(report: Report): 'mismatch' | 'partial' | 'accepted' | 'match' {
  if (report.verdict === 'mismatch') return 'mismatch';
  if (report.coverage.not_compared.length > 0) return 'partial';
  return judged(report).some(({ accepted }) => accepted !== null) ? 'accepted' : 'match';
}

/** The worst; they are in that order. */
function stateOfAll([first]: readonly Run[]) {
  return stateOf(first.report);
}

function wordOf(runs: readonly Run[]): string {
  if (runs.length === 1) return verdict(runs[0].report).word;
  return { mismatch: 'MISMATCH', partial: 'MATCH in part', accepted: 'MATCH', match: 'MATCH' }[stateOfAll(runs)];
}

function titleOf(runs: readonly Run[]): string {
  const names = runs.length === 1 ? runs[0].report.model : runs.map(({ name }) => name).join(', ');
  const of = runs.length === 1 ? '' : ` (${counted(runs.length, 'model')})`;
  return `qdiff: ${wordOf(runs)}${of}: ${names.slice(0, 200)}`;
}

/** Around title, content and data. */
function partsOf(page: string | undefined): string[] {
  const parts = page?.split(/<!--qdiff:(?:title|content|data)-->/);
  if (parts?.length !== 4) throw new Error('the page of the html report is missing or damaged');
  return parts;
}

/** JSON inside a script element: nothing in it ends the element or starts a comment. */
function scriptData(page: PageData): string {
  return JSON.stringify(page).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

// ---------------------------------------------------------------- what is read without a script

/** One verdict over all models, and a row for each. */
function summary(runs: readonly Run[]): string {
  const differing = runs.filter(({ report }) => report.verdict === 'mismatch').length;
  const layers = runs.flatMap(({ report }) => judged(report));
  const compared = layers.filter(({ values }) => values !== null).length;
  const sentence = [
    `${differing} of ${counted(runs.length, 'model')} ${differing === 1 ? 'differs' : 'differ'}`,
    `${compared} of ${counted(layers.length, 'layer')} compared`,
    ...uncomparedInRuns(runs.map(({ report }) => report)),
  ];
  const rows = runs.map(({ name, report }, i) => {
    const state = stateOf(report);
    return `<li class="${state}" data-run="${i}"><b class="name"><bdi>${text(name)}</bdi></b> <span>${said(verdict(report).line)}</span></li>`;
  });
  return `<header class="all ${stateOfAll(runs)}"><h1>${wordOf(runs)}</h1> <p class="sentence">${said(sentence.join('; '))}</p></header>
<ul class="models">${rows.join('')}</ul>`;
}

function section(
  { name, report }: Run,
  index: number,
  cards: readonly Card[],
  options: ReportOptions,
  several: boolean,
): string {
  const { word, text: sentence } = verdict(report);
  const next = nextCommand(report, options);
  const indexOf = new Map(judged(report).map((layer, i) => [layer, i]));
  const heading = several
    ? `<h2><bdi>${text(name)}</bdi> <b class="word">${word}</b></h2> <p class="sentence">${said(sentence)}</p>`
    : `<h1>${word}</h1> <p class="sentence">${said(sentence)}</p>`;
  return `<section class="run" data-run="${index}">
<header class="${several ? '' : 'all '}${stateOf(report)}">${heading}</header>
${list('first-words', firstWords(report))}
${outcomes(report)
  .map((sentence) => `<p class="answers">${said(sentence)}</p>\n`)
  .join('')}<p class="sides">${sides(report)}</p>
${facts(report, indexOf)}
${list('divergences', divergenceSentences(report))}${modelFiles(report)}
<div class="network" data-network="${index}"></div>
${list('baseline', baselineSentences(report))}
${causes(cards, indexOf)}
${layerTable(report, indexOf)}
${list(
  'notes',
  notes(report)
    .slice(0, MOST_WARNINGS)
    .map(({ where, message }) => `${where}: ${message}`),
)}
${next ? `<p class="next">next: <code>${toCopy(next)}</code></p>` : ''}
</section>`;
}

function modelFiles(report: Report): string {
  const said = modelsSaid(report);
  if (!said) return '';
  const rows = said.fields.map(([field, what]) => `<dt>${text(field)}</dt><dd>${text(what)}</dd>`);
  return `<div class="model-files"><p>${text(said.title)}</p>${rows.length > 0 ? `<dl>${rows.join('')}</dl>` : ''}</div>`;
}

function sides(report: Report): string {
  const actual = report.candidate ?? `the replay, ${report.kernel}`;
  return [
    ['model', report.model],
    ['expected', `${expectedSource(report)}${report.against === 'capture' ? ` ${report.capture}` : ''}`],
    ['actual', actual],
    ['kernel', report.kernel],
    ['mode', report.mode],
    ['samples', String(report.samples)],
  ]
    .map(([key, value]) => `${text(key)} <bdi>${text(value)}</bdi>`)
    .join(' · ');
}

/** Four numbers: what was compared, what differs, what is explained, where it begins. */
function facts(report: Report, indexOf: IndexOf): string {
  const layers = judged(report);
  const differing = layers.filter(({ mismatched }) => (mismatched ?? 0) > 0);
  const values = total(layers.map((layer) => layer.values));
  const different = total(layers.map(({ mismatched }) => mismatched));
  const first = firstDivergence(report);
  const rows = [
    ['compared', `${report.coverage.compared} of ${report.coverage.layers}`, `layers, ${report.replayed} replayed`],
    [
      'differ',
      String(different),
      `of ${counted(values, 'value')}${differing.length > 0 ? ` in ${counted(differing.length, 'layer')}` : ''}`,
    ],
    ...(different > 0 ? [explainedFact(report, different)] : []),
    ...(first ? [[firstDivergenceLabel(report), first.name, firstMismatch(first) ?? '']] : []),
  ];
  const isLayer = (i: number) => first !== null && i === rows.length - 1;
  return `<dl class="facts">${rows
    .map(
      ([key, big, rest], i) =>
        `<div${isLayer(i) ? ` data-layer="${indexOf.get(first!)}"` : ''}${key === 'explained' && big !== '0%' ? ` class="${big === '100%' ? 'whole' : 'part'}"` : ''}><dt>${text(key)}</dt><dd><b><bdi>${isLayer(i) ? nameText(big) : said(big)}</bdi></b> ${said(rest)}</dd></div>`,
    )
    .join('')}</dl>`;
}

function explainedFact(report: Report, different: number): string[] {
  // judged by the replay, what was captured is not looked at
  const captured = report.against === 'replay' ? [] : report.layers;
  const replayed = new Map(captured.map((layer) => [layer.name, layer.diagnosis]));
  const explained = judged(report)
    .filter(({ mismatched }) => (mismatched ?? 0) > 0)
    .filter(({ name, diagnosis }) => {
      const both = [diagnosis, replayed.get(name)];
      return both.some((one) => one) && both.every((one) => !one?.causes.includes('unexplained'));
    })
    .reduce((sum, { mismatched }) => sum + mismatched!, 0);
  return ['explained', percent(explained, different), `${explained} of ${counted(different, 'value')} that differ`];
}

type IndexOf = ReadonlyMap<LayerReport, number>;

function causes(cards: readonly Card[], indexOf: IndexOf): string {
  if (cards.length === 0) return '';
  const unexplained = cards.some(({ kind }) => kind === 'unexplained');
  const heading = unexplained
    ? `${counted(cards.length, 'finding')}, not everything is explained`
    : `${counted(cards.length, 'finding')} explain${cards.length === 1 ? 's' : ''} every value`;
  return `<header class="causes"><h2>${text(heading)}</h2>${shares(cards)}</header>
<div class="cards">
${cards.map((card, i) => cardHtml(card, i, indexOf)).join('\n')}
</div>`;
}

/** How much each of several findings is of what differs: "explained" is not read without it. */
function shares(cards: readonly Card[]): string {
  const all = cards.reduce((sum, { values }) => sum + values, 0);
  if (cards.length < 2) return '';
  const each = cards.slice(0, MOST_SHARES).map(({ letter, kind, values }) => {
    const count = `<b>${said(String(values))}</b> ${percent(values, all)}`;
    return `<li class="${kind}"><span class="letter">${letter}</span> ${count}</li>`;
  });
  const more = cards.length > MOST_SHARES ? `<li>and ${cards.length - MOST_SHARES} more</li>` : '';
  return ` <ul class="shares">${each.join('')}${more}</ul>`;
}

function cardHtml({ finding, headlines, letter, kind, values, worst }: Card, index: number, indexOf: IndexOf): string {
  const { layers, details } = finding;
  const told = details.filter((detail) => !isWhole(detail, layers));
  const whole = told.length < details.length ? ', all explained' : '';
  const shown = layers.slice(0, MOST_LAYERS_OF_A_CARD);
  const more = layers.length - shown.length;
  const extent = [
    ...shown.map(
      (layer) =>
        `<li data-layer="${indexOf.get(layer)}"><bdi>${nameText(layer.name)}</bdi>: ${said(extentOf(layer))}${layers.length === 1 ? whole : ''}</li>`,
    ),
    ...(more > 0 ? [`<li>and ${more} more</li>`] : []),
  ];
  const counts = `<p class="counts"><span><b>${said(String(values))}</b> values</span> <span><b>${layers.length}</b> layers</span> <span>up to <b>${said(worst)}</b>${whole}</span></p>\n`;
  return `<article class="card ${kind}" data-finding="${index}"><h3><span class="letter">${letter}</span> ${headlines.map(headlineHtml).join('<br>')}</h3>
${layers.length > 1 ? counts : ''}<ul${layers.length > 1 ? '' : ' class="only"'}>${extent.join('')}</ul>
${detailsHtml(told)}</article>`;
}

/** "963 of 963 differing values" and no more, or that of each layer: said in two words beside the counts. */
function isWhole({ label, sentences }: FindingDetail, layers: readonly LayerReport[]): boolean {
  // of what is only handed on, its origin is what the layer's page says that it reads
  const all = /^(?:(?: from .*: )?(\d+) of \1 differing values?(?: in \d+ layers)?|and \d+ more layers?)$/s;
  const names = layers.map(({ name }) => printable(name));
  const isAll = (sentence: string) => {
    const name = names.find((one) => sentence.startsWith(`${one}: `) || sentence.startsWith(`${one} from `)) ?? '';
    return all.test(sentence.slice(name.length).replace(/^: /, ''));
  };
  return label === 'explained' && sentences.every(isAll);
}

/** Who, what, and less loud: in brackets where such values come from, or in how many of two captures' values it shows. */
const HEADLINE = /^(?:(\D[^:]*:) )?(.*?)( \((?![\d,]+ values?\b)[^()]*\)|: \d+ of \d+ values? on the same input.*)?$/s;

export function headlineHtml(headline: string): string {
  const [, who, what, origin] = HEADLINE.exec(headline)!;
  const parts = `${who ? `<span>${text(who)}</span> ` : ''}${text(what)}${origin ? `<span>${text(origin)}</span>` : ''}`;
  return isDeclared(headline) ? `<span>${parts}</span>` : parts;
}

/** Why, and beside it what to do. */
function detailsHtml(details: readonly FindingDetail[]): string {
  const at = details.findIndex(({ label }) => FIXES.has(label));
  const parts = at < 0 ? [details] : [details.slice(0, at), details.slice(at)];
  return `<div class="details">${parts.map((part) => `<dl>${part.map(detailHtml).join('')}</dl>`).join('')}</div>`;
}

const FIXES = new Set(['fix', 'to agree']);
/** "FBGEMM_ENABLE_INSTRUCTIONS=AVX2 makes PyTorch ...": what is typed, and what it does. */
const VARIABLE = /^([A-Z_]+=\S+)( .*)$/;

function detailHtml({ label, sentences, code }: FindingDetail): string {
  if (code) {
    const rows = code.map(
      ({ where, lines }) =>
        `<dd class="code"><span class="where">${text(where)}</span> <code class="copy">${lines.map(toCopy).join('\n')}</code></dd>`,
    );
    return `<div class="paste"><dt>${text(label)}</dt>${rows.join('')}</div>`;
  }
  const lines = sentences.map((sentence) => {
    const [, variable, rest] = (label === 'confirm' && VARIABLE.exec(sentence)) || [];
    if (variable) return `<dd class="typed"><code class="copy">${toCopy(variable)}</code>${text(rest)}</dd>`;
    const partly = label === 'rehearsal' && / still differs?$/.test(sentence) ? ' class="partly"' : '';
    return `<dd${partly}>${said(sentence.replaceAll(' -> ', ' → '))}</dd>`;
  });
  return `<div class="${label.replaceAll(' ', '-')}"><dt>${text(label)}</dt>${lines.join('')}</div>`;
}

function layerTable(report: Report, indexOf: IndexOf): string {
  const layers = judged(report);
  const shown = layers.length <= MOST_LAYERS_IN_TEXT ? layers : layers.filter(({ status }) => status !== 'match');
  const rows = shown.slice(0, MOST_LAYERS_IN_TEXT).map((layer) => row(layer, report, indexOf));
  const left = layers.length - rows.length;
  const head = ['layer', 'op', 'values', 'mismatched', 'channels', 'max |diff|', 'mean diff', 'SQNR dB', 'why'];
  return `<header class="head layers-head"><h2>Layers</h2></header>
<table class="layers"><caption>Differences are actual − expected, in steps (lsb); of floats in their own unit</caption>
<thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table>
${left > 0 ? `<p>${left} more layers not listed</p>` : ''}`;
}

function row(layer: LayerReport, report: Report, indexOf: IndexOf): string {
  const state = differs(layer) ? 'differs' : layer.accepted ? 'accepted' : layer.status;
  const numbers = layerNumbers(layer).map((number) => `<td class="number">${numberHtml(number)}</td>`);
  return `<tr class="${state}" data-layer="${indexOf.get(layer)}"><th scope="row"><bdi>${nameText(layer.name)}</bdi></th><td>${text(layer.op)}</td>${numbers.join('')}<td>${text(whyOf(layer, report))}</td></tr>`;
}

/** The number, and what stands after it: "74", "963 (39.9%)", "0.0271 (7.94% of its range)". */
function numberHtml(number: string): string {
  const [, main, rest] = /^(\S+)( .*)?$/.exec(number)!;
  const inUnits = rest?.replace(/^ lsb$|, [^,]* ulp(?=\)$)/, '') ?? '';
  return (
    said(main.replace(/^-(?=.)/, '−').replace('e-', 'e−')) + (inUnits && ` <small>${text(inUnits.trim())}</small>`)
  );
}

function list(name: string, sentences: readonly string[]): string {
  if (sentences.length === 0) return '';
  return `<ul class="${name}">${sentences.map((one) => `<li>${said(one)}</li>`).join('')}</ul>`;
}

/** A count by what follows it, so that the digits of a name or a value stay as they are. */
const COUNT =
  /(?<![\w.,-])\d{4,}(?= (?:of|values?|differing|other|answers?|samples?|sums|and|pairs|input|hypotheses|steps?|lsb|layers?|more|replayed)\b| \()|(?<=\d of )\d{4,}\b|^\d{4,}$/g;

/** Our words, in which counts have commas: "12,345 of 20,000 values". */
function said(sentence: string): string {
  return text(sentence.replace(COUNT, (count) => Number(count).toLocaleString('en-US')));
}

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

/** Text or an attribute's value, whatever it holds. */
/** A name; where it does not fit it breaks behind its parts. */
function nameText(name: string): string {
  return text(name).replace(/[._/](?=.)/g, '$&<wbr>');
}

function text(value: string): string {
  return toCopy(withShortWords(printable(value)));
}

function toCopy(value: string): string {
  return printable(value).replace(/[&<>"']/g, (character) => ENTITIES.get(character)!);
}
