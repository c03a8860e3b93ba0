import type { Cause } from '../cause.js';
import type { SomeChannels } from '../evidence.js';
import { isConvolution, madeOnce, patchOf, readOtherwise } from '../geometry.js';
import type { ProductChange, ProductSetup } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import { codeOf, inC, numpy } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { groupsText } from '../words/geometry.js';
import { fileOf } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'groups-wrong': SomeChannels & {
      readonly groups?: number;
      /** All groups read the channels of the first; or inputs or outputs go to the groups in turns. */
      readonly found?: 'first' | 'inputs in turns' | 'outputs in turns' | 'both in turns';
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

  estimate: (study, base) => (base.patches ? [] : otherGroups(study)),

  words: {
    title: (e) => (e.found === 'first' ? 'every group reads the first' : `groups taken by turns`),
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

const otherGroups = madeOnce((study: ProductStudy) => {
  const { groups, inChannels, outChannels } = patchOf(study.declared);
  const inputs = Int32Array.from({ length: groups * inChannels }, (_, c) => c);
  const inTurns = inputs.map((c) => (c % inChannels) * groups + Math.floor(c / inChannels));
  // each output a group of its own: output n reads group n % groups
  const outputs = Int32Array.from({ length: groups * outChannels * inChannels }, (_, i) => {
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

type Rule = 'first' | 'inputs in turns' | 'outputs in turns' | 'both in turns';

function change(study: ProductStudy, found: Rule, groups: number, channels: Int32Array): ProductChange {
  const { groups: declared } = patchOf(study.declared);
  return readOtherwise(study, {
    cause: 'groups-wrong',
    label: found,
    found: { groups: declared, found },
    reading: () => ({ groups, channels }),
  });
}
