import { test } from 'vitest';
import { appendFileSync } from 'node:fs';
import { rivalKernels } from '../../src/kernels/registry.js';
import { DATA, OPS, diagnosisIn, randomLayer, reported, rightValues, validated, without } from './randomLayers.js';
import { randomFrom } from './world.js';
const from = Number(process.env.FROM ?? 1), n = Number(process.env.N ?? 200);
const PRODUCERS = [{}, { framework: 'pytorch', engine: 'x86' }, { framework: 'onnxruntime' }, { framework: 'litert', kernel: 'xnnpack' }];
test('c', async () => {
  const kernels = rivalKernels(null).map(k => k.name);
  let named = 0, ran = 0, errs = 0; const t0 = Date.now();
  for (let s = from; s < from + n; s++) {
    const random = randomFrom(s * 7919 + 13);
    const op = OPS[random.integer(0, OPS.length - 1)], what = DATA[random.integer(0, DATA.length - 1)];
    const side = random.uniform() < 0.5 ? 'capture' as const : 'candidate' as const;
    let kernel: string | undefined = kernels[random.integer(0, kernels.length - 1)];
    const producer = PRODUCERS[random.integer(0, PRODUCERS.length - 1)];
    const layer = randomLayer(random, op);
    const t = Date.now();
    try {
      const model = await validated(layer, producer);
      let right; try { right = await rightValues(layer, model, kernel); } catch { kernel = undefined; right = await rightValues(layer, model); }
      const y = without(random, what, right, layer);
      const d = diagnosisIn(await reported(layer, model, y, side, kernel));
      ran++;
      const dt = Date.now() - t;
      if (dt > 3000) appendFileSync(process.env.OUT!, `SLOW ${s} ${op} ${what} ${dt}ms\n`);
      if (d && d.causes.some(c => c !== 'unexplained' && c !== 'constant-values')) {
        named++;
        appendFileSync(process.env.OUT!, `${s} ${op} ${what} ${side} ${kernel} ${JSON.stringify(producer)} s=${layer.samples} shape=${layer.shape} of=${d.of} -> ${d.causes} | ${JSON.stringify(d.evidence).slice(0, 300)}\n`);
      }
    } catch (e) { errs++; appendFileSync(process.env.OUT!, `${s} ERR ${op} ${kernel} ${String(e).slice(0, 300)}\n`); }
  }
  appendFileSync(process.env.OUT!, `done ${from}+${n}: ran ${ran} named ${named} errs ${errs} in ${(Date.now()-t0)/1000}s\n`);
}, 3600_000);
