import { int32s } from '../../numeric/array.js';
import { isConvolution, madeOnce, patchOf, readOtherwise } from '../alternatives/geometry.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import type { ProductChange, ProductSetup } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { codeOf, inC, numpy } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { groupsText } from '../words/geometry.js';
import { fileOf } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'groups-wrong': SomeChannels & {
      readonly groups?: number;
      /** All groups read the channels of the first, or of the group beside them; or inputs or outputs go to the groups in turns. */
      readonly found?:
        | 'first'
        | 'next'
        | 'previous'
        | 'inputs in turns'
        | 'outputs in turns'
        | 'both in turns'
        | 'shuffled'
        | 'last to first'
        | 'one further'
        | 'one before'
        | 'exchanged in pairs'
        | 'halves exchanged';
    };
  }
}

/** Groups read other channels than their own: always the first ones, or taken in turns in place of side by side. */
export const groupsWrong: Cause<'groups-wrong', 'product'> = {
  code: 'groups-wrong',
  kinds: ['product'],
  needs: [isConvolution, ({ declared }) => patchOf(declared as ProductSetup).groups > 1],
  whose: 'model',
  parameterFree: true,

  // on each base of a pair two orders more take the time of a padding beside a rounding
  estimate: (study, base) => {
    if (base.patches) return [];
    return base === study.declared
      ? [...otherGroups(study), ...rotatedGroups(study), ...shuffledGroups(study), ...acrossGroups(study)]
      : otherGroups(study);
  },

  words: {
    title: (e) => TITLES.get(e.found) ?? 'groups taken by turns',
    explanation: 'Output channels of a group read its own input channels, groups side by side.',
    ofOneLayer: true,
    evidence: (e) => [e.groups === undefined ? null : `${e.groups} groups: ${groupsText(e.found)}`],
    fix: parameterFix(
      (context) => `correct ${field(context, 'groups')} and the order of channels in ${fileOf(context)}`,
      'output channel n belongs to group floor(n / (out / groups)), which reads channels from that group times in / groups on',
    ),
    code: (_, context) =>
      codeOf([
        numpy(
          'g = n // (out_channels // groups); xg = x[:, g * (in_channels // groups):(g + 1) * (in_channels // groups)]',
        ),
        inC('c = n / (OUT_CHANNELS / GROUPS) * (IN_CHANNELS / GROUPS) + i;'),
      ])(context),
  },
};

const TITLES: ReadonlyMap<string | undefined, string> = new Map([
  ['first', 'every group reads the first'],
  ['next', 'every group reads the next one'],
  ['previous', 'every group reads the one before'],
  ['shuffled', 'channels are shuffled before the groups'],
  ['last to first', 'input channels of all groups from last to first'],
  ['one further', 'input channels of all groups one channel further'],
  ['one before', 'input channels of all groups one channel before'],
  ['exchanged in pairs', 'input channels exchanged in pairs'],
  ['halves exchanged', 'halves of the input channels exchanged'],
]);

/** An address that is counted up early, or late; of two groups both are the other one. */
const ROTATED = [
  ['next', 1],
  ['previous', -1],
] as const;

const rotatedGroups = madeOnce((study: ProductStudy) => {
  const { groups, inChannels } = patchOf(study.declared);
  const count = groups * inChannels;
  return ROTATED.slice(0, groups === 2 ? 1 : 2).map(([rule, by]) => {
    const channels = int32s({ length: count }, (_, c) => (c + by * inChannels + count) % count);
    return change(study, rule, groups, channels);
  });
});

/** A shuffle of channels, one from each group in turns, that the file has elsewhere or not at all; of as many as groups it is its own inverse. */
const shuffledGroups = madeOnce((study: ProductStudy) => {
  const { groups, inChannels } = patchOf(study.declared);
  if (inChannels === 1 || inChannels === groups) return [];
  const channels = Int32Array.from(
    { length: groups * inChannels },
    (_, c) => (c % groups) * inChannels + Math.floor(c / groups),
  );
  return [change(study, 'shuffled', groups, channels)];
});

/** Channels that come in another order than the file's, as its own would without groups; what moves within one is an order along k. */
const acrossGroups = madeOnce((study: ProductStudy) => {
  const { groups, inChannels } = patchOf(study.declared);
  const count = groups * inChannels;
  const isDepthwise = inChannels === 1;
  const isEven = count % 2 === 0 && groups > 2;
  const orders = [
    ['last to first', true, (c: number) => count - 1 - c],
    ['one further', !isDepthwise, (c: number) => (c + count - 1) % count],
    ['one before', !isDepthwise, (c: number) => (c + 1) % count],
    ['exchanged in pairs', isEven && inChannels % 2 === 1, (c: number) => c ^ 1],
    ['halves exchanged', isEven, (c: number) => (c + count / 2) % count],
  ] as const;
  const possible = orders.filter(([, isOwn]) => isOwn);
  return possible.map(([order, , from]) => {
    const inputs = int32s({ length: count }, (_, c) => from(c));
    return change(study, order, groups, inputs);
  });
});

const otherGroups = madeOnce((study: ProductStudy) => {
  const { groups, inChannels, outChannels } = patchOf(study.declared);
  const inputs = int32s({ length: groups * inChannels }, (_, c) => c);
  const inTurns = inputs.map((c) => (c % inChannels) * groups + Math.floor(c / inChannels));
  // each output a group of its own: output n reads group n % groups
  const outputs = int32s({ length: groups * outChannels * inChannels }, (_, i) => {
    const [n, c] = [Math.floor(i / inChannels), i % inChannels];
    return (n % groups) * inChannels + c;
  });
  return [
    change(
      study,
      'first',
      groups,
      inputs.map((c) => c % inChannels),
    ),
    ...(inChannels > 1 ? [change(study, 'inputs in turns', groups, inTurns)] : []),
    ...(outChannels > 1 ? [change(study, 'outputs in turns', groups * outChannels, outputs)] : []),
    ...(outChannels > 1 && inChannels > 1
      ? [
          change(
            study,
            'both in turns',
            groups * outChannels,
            outputs.map((c) => inTurns[c]),
          ),
        ]
      : []),
  ];
});

type Rule = NonNullable<CauseEvidence['groups-wrong']['found']>;

function change(study: ProductStudy, found: Rule, groups: number, channels: Int32Array): ProductChange {
  const { groups: declared } = patchOf(study.declared);
  return readOtherwise(study, {
    cause: 'groups-wrong',
    label: found,
    found: { groups: declared, found },
    reading: () => ({ groups, channels }),
  });
}
