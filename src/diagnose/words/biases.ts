import { counted, precise } from '../../text.js';
import type { CauseEvidence } from '../finding/evidence.js';

/** What is said of a rule that all biases follow, or of none. */
export function toldOf(e: Partial<CauseEvidence['bias-value']>) {
  const { width, own_scale: own, lost_bits: lost, to_nearest: nearest, all_of: all, kept, added, or_steps: or } = e;
  if (added !== undefined)
    return {
      title: `${Math.abs(added)} ${added > 0 ? 'more' : 'less'} in every sum`,
      explanation: `Every sum is ${Math.abs(added)} too ${added > 0 ? 'large' : 'small'} before it is scaled, in each channel alike, where biases are each channel's own.${or ? ` A number from ${precise(or[0])} to ${precise(or[1])} of a step, added before the rounding, gives the same.` : ''}`,
      fix: 'let sums begin with 0 or their bias, and add a rounding constant once, behind the multiplication',
    };
  if (width)
    return {
      title: `biases ${width.overflow === 'wrap' ? 'cut' : 'clamped'} to int${width.bits}`,
      explanation: 'A bias, rounded to int32 at s_x * s_w, leaves the bits that it is kept in.',
      fix: 'keep biases in int32',
    };
  if (lost)
    return {
      title: nearest
        ? `biases rounded to multiples of ${2 ** lost}`
        : `biases without their lowest ${counted(lost, 'bit')}`,
      explanation: `A bias, rounded to int32 at s_x * s_w, is ${nearest ? 'rounded again' : 'cut off below'}, to a multiple of a power of two.`,
      fix: 'keep biases in int32 at s_x * s_w, all bits of them',
    };
  if (own)
    return {
      title: `biases in ${own.unit === '(max - min) / 255' ? 'uint8' : 'int8'} at a scale of their own, ${own.unit}${own.brought ? '' : ', added as they are'}`,
      explanation: `Biases are rounded to 8 bits${own.brought ? '' : ', and added to sums, which have the scale s_x * s_w'}, where the reference has int32 at s_x * s_w.`,
      fix: own.brought
        ? 'keep biases in int32 at s_x * s_w'
        : 'bring each bias to the scale of the sums before it is added: b * s_b / (s_x * s_w)',
    };
  if (all !== undefined)
    return {
      title: `channel ${all}'s bias for all channels`,
      explanation: "One channel's bias is added where every channel has its own.",
      fix: 'add bias[channel] in each output channel',
    };
  if (kept)
    return {
      title: `biases kept in ${kept}`,
      explanation: 'Biases lose their last bits before they are added.',
      fix: 'keep biases in float32',
    };
  return {
    title: 'other biases',
    explanation: 'Biases are others than the file says: a stale file, or changed before they are added.',
    fix: 'load the biases of this layer again (a stale copy?), and see what is done to them before they are added',
  };
}
