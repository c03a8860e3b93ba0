/** Elements, made by hand: text is always text. */

export type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function svg(tag: string, attributes: Readonly<Record<string, string | number>>, ...children: Child[]) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A button that puts a text on the clipboard, and says so. */
export function copyButton(textOf: () => string, label = 'copy'): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'copies' }, label);
  button.addEventListener('click', async () => {
    button.textContent = (await copied(textOf())) ? 'copied' : 'press Ctrl+C';
    setTimeout(() => {
      button.textContent = label;
    }, 1500);
  });
  return button;
}

/** One behind each text that is to be typed or pasted. */
export function addCopyButtons(place: HTMLElement): void {
  for (const text of place.querySelectorAll<HTMLElement>('.copy, .next code')) {
    const words = text.textContent ?? '';
    text.after(copyButton(() => words));
  }
}

/** A page from disk may not use the clipboard in every browser; a selection always works. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element('textarea', { readonly: '', class: 'offscreen' });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** A list of choices that is one tab stop: arrows move in it, Enter and a click choose. */
export function roving(place: HTMLElement, items: readonly HTMLElement[], current: number, perRow: () => number): void {
  let at = Math.max(0, current);
  for (const [i, item] of items.entries()) item.tabIndex = i === at ? 0 : -1;
  place.addEventListener('keydown', (event) => {
    const row = perRow();
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -row,
      ArrowDown: row,
      Home: -at,
      End: items.length - 1 - at,
    };
    if (!Object.hasOwn(steps, event.key)) return;
    const to = at + steps[event.key];
    event.preventDefault();
    if (to < 0 || to >= items.length) return;
    items[at].tabIndex = -1;
    at = to;
    items[at].tabIndex = 0;
    items[at].focus();
  });
}

/** Puts an element somewhere; a strict policy allows it to a script, not to an attribute. */
export function placed<E extends HTMLElement>(made: E, box: Readonly<Record<string, number>>): E {
  for (const [side, size] of Object.entries(box)) made.style.setProperty(side, `${size}px`);
  return made;
}
