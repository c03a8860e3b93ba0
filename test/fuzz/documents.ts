/** Documents with markup: what came from a file must not have become a part of it. */
import MarkdownIt from 'markdown-it';
import { MARKUP } from './hostile.js';
import { around, CONTROL, type Report } from './oracle.js';

export function checkHtml(text: string, report: Report): void {
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  if (text.includes(MARKUP)) report('html-markup', around(text, text.indexOf(MARKUP)));
  const [opened, closed] = [count(/<script/gi), count(/<\/script/gi)];
  if (opened !== 2 || closed !== 2) report('html-script', `${opened} opened, ${closed} closed`);
  const body = text.slice(text.indexOf('<main>'), text.indexOf('</main>'));
  const control = CONTROL.exec(body);
  if (control) report('control-in-html', around(body, control.index));
  const active = /<[^>]*(?:\son\w+\s*=|href\s*=\s*["']?javascript:)/i.exec(body);
  if (active) report('html-attribute', around(body, active.index));
  const data = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(text)?.[1];
  try {
    JSON.parse(data ?? '');
  } catch (error) {
    report('html-data', error);
  }
}

const TOKEN = /<\?xml[^>]*\?>|<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const NO_ENTITY = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)|]]>/;

/** Well-formed XML 1.0, as far as this output uses it. */
export function checkJunit(text: string, report: Report): void {
  const illegal = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.exec(text);
  if (illegal) report('xml-character', around(text, illegal.index));
  const open: string[] = [];
  let at = 0;
  for (const [all, closes, name, attributes = '', empty, content = ''] of text.matchAll(TOKEN)) {
    at += all.length;
    if (NO_ENTITY.test(attributes + content)) report('xml-entity', content || attributes);
    if (!name || empty) continue;
    if (!closes) open.push(name);
    else if (open.pop() !== name) report('xml', `</${name}> closes another`);
  }
  if (at < text.length) report('xml', around(text, at));
  if (open.length > 0) report('xml', `left open: ${open}`);
}

const markdown = new MarkdownIt({ html: true, linkify: false });
const TAGS =
  /^<\/?(?:h[1-6]|p|strong|code|table|thead|tbody|tr|th|td|ul|li|details|summary|pre|br)(?: style="text-align:(?:left|right|center)"| class="language-text")?\s*\/?>$/;

export function checkMarkdown(text: string, report: Report): void {
  const tags = markdown.render(text).match(/<\/?[a-zA-Z!][^>]*>/g) ?? [];
  const odd = tags.find((tag) => !TAGS.test(tag));
  if (odd) report('markdown-markup', odd);
}
