import type { RoundingEvidence } from '../finding/evidenceParts.js';

/** What the side does; `title` of a rule without anything else. */
export function titleOfRounding(e: Partial<RoundingEvidence>, title: string): string {
  if (e.to_nearest) return 'rounded to the nearest, not cut off';
  if (e.half_taken) return '0.5 taken off what is negative, then rounded down';
  if (e.half_added) return `${addedOf(e)} added, then rounded towards zero`;
  if (e.zero_point_added) return 'zero point added, then rounded towards zero';
  if (e.to_even) return 'ties rounded to even';
  return e.ties_go ? `ties rounded ${e.ties_go}` : title;
}

/** And what comes of it. */
export function explanationOfRounding(e: Partial<RoundingEvidence>, does: string): string {
  if (e.to_nearest) return 'The fraction is rounded, where the reference cuts it off.';
  if (e.half_taken)
    return '0.5 is added, or taken off what is negative, and the sum rounded down, as a shift to the right does: what is negative comes out one too low.';
  if (e.half_added)
    return `The fraction is cut off after ${addedOf(e)} ${e.zero_point_added ? 'were' : 'was'} added: what is negative${e.zero_point_added ? ' by then' : ''} comes out one too high.`;
  if (e.zero_point_added)
    return 'The fraction is cut off after the zero point was added, as a cast of the sum does: what is below code 0 goes up.';
  if (e.to_even) return 'Exact halves go to the even neighbour, where the reference has another rule for them.';
  return e.ties_go
    ? `Exact halves go ${e.ties_go} (${e.ties_go === 'down' ? 'AP_RND_MIN_INF' : 'AP_RND_ZERO'} in HLS), where the reference has another rule for them.`
    : does;
}

function addedOf({ zero_point_added }: Partial<RoundingEvidence>): string {
  return zero_point_added ? 'the zero point and 0.5' : '0.5';
}
