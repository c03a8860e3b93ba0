import { printable } from '../text.js';

/** What commander says of an option's argument, as all other messages say it; null for its other messages. */
export function refusedOption(message: string): { readonly flag: string; readonly message: string } | null {
  const [, flag, got, why] =
    /^(?:error: )?option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. (.*?)\.?$/s.exec(message) ?? [];
  if (flag === undefined) return null;
  const expected = why.replace(/^Allowed choices are /, 'expected one of ').replace(/^E/, 'e');
  return { flag, message: `${expected}${/, got [^,]*$/.test(expected) ? '' : `, got ${printable(got)}`}` };
}
