import { describe, expect, test } from 'vitest';
import { downward, halfUp, towardZero } from '../../src/kernels/steps/round.js';
import { findings } from '../../src/report/words/findings.js';
import { compareLayer, fbgemmWith, kernel, outputsOf, randomFrom, type World, worldOf } from './world.js';

type IsIn = (sample: number, channel: number) => boolean;

/** The values of one computation in a part of the layer, of another elsewhere. */
function mixed(world: World, inside: Int32Array, isIn: IsIn, outside = outputsOf(world)): Int32Array {
  const width = world.linear.outFeatures;
  return outside.map((value, i) => (isIn(Math.floor(i / width), i % width) ? inside[i] : value));
}

const floored = (world: World) => outputsOf(world, fbgemmWith({ round: downward }));
const isTail: IsIn = (_, n) => n >= 7;

async function diagnosed(world: World, candidate: Int32Array, captured = outputsOf(world)) {
  const report = await compareLayer(world, world.linear, captured, { candidate });
  const [finding] = findings(report, () => true);
  return { ...report.candidate_layers![0].diagnosis!, headline: finding.headlines.at(-1)! };
}

describe('a step that is another in a part of the layer only', () => {
  const world = worldOf('small', randomFrom(3));

  test.each([
    ['the last channels: a scalar tail', floored(world), isTail, 'rounded down in channels 7 to 11 of 12'],
    ['one channel', floored(world), ((_, n) => n === 4) as IsIn, 'rounded down in channel 4 of 12'],
    [
      'every fourth channel',
      outputsOf(world, fbgemmWith({ round: towardZero })),
      ((_, n) => n % 4 === 1) as IsIn,
      'rounded towards zero in channels 1, 5 and 9 of 12',
    ],
    [
      'samples that nobody wrote',
      new Int32Array(world.samples * world.linear.outFeatures),
      ((sample) => sample >= 146) as IsIn,
      'one value: 0 in samples 146 to 149',
    ],
    ['the last samples', floored(world), ((sample) => sample >= 142) as IsIn, 'rounded down in samples 142 to 149'],
  ])('%s', async (_, inside, isIn, headline) => {
    const candidate = mixed(world, inside, isIn);
    const found = await diagnosed(world, candidate);
    expect(found).toMatchObject({ explained: found.of, lost: 0 });
    expect(found.headline).toMatch(headline);
    expect(found.rehearsal).toEqual({ mismatched_after_fix: 0 });
  });

  test('beside saturation everywhere', async () => {
    const saturating = kernel('fbgemm-avx2');
    const captured = outputsOf(world);
    const candidate = mixed(
      world,
      outputsOf(world, { ...saturating, round: downward }),
      isTail,
      outputsOf(world, saturating),
    );
    const found = await diagnosed(world, candidate, captured);
    expect(found.causes).toEqual(['int16-saturation', 'rounding-floor']);
    expect(found.headline).toContain('rounded down in channels 7 to 11 of 12');
  });
});

describe('nothing is named', () => {
  test.each(['small', 'per tensor'] as const)('where the last channels are noise: %s', async (kind) => {
    const random = randomFrom(21);
    const world = worldOf(kind, random);
    const noise = outputsOf(world).map((v) => Math.max(0, Math.min(255, v + random.integer(-1, 1))));
    expect((await diagnosed(world, mixed(world, noise, isTail))).causes).toEqual(['unexplained']);
  });

  test('where single values anywhere were rounded down', async () => {
    const random = randomFrom(22);
    const world = worldOf('small', random);
    const candidate = mixed(world, floored(world), () => random.uniform() < 0.3);
    expect((await diagnosed(world, candidate)).causes).toEqual(['unexplained']);
  });

  test('where a channel has two values next to ties only: they tell no rule', async () => {
    const world = worldOf('ties', randomFrom(4));
    const up = outputsOf(world, fbgemmWith({ round: halfUp }));
    const right = outputsOf(world);
    const differing = [...up.keys()].filter((i) => up[i] !== right[i]);
    const few = new Set(differing.filter((i) => i % world.linear.outFeatures === differing[0] % 24).slice(0, 2));
    const candidate = right.map((value, i) => (few.has(i) ? up[i] : value));
    expect((await diagnosed(world, candidate)).causes).toEqual(['unexplained']);
  });
});
