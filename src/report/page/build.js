// Makes the page that html.ts fills: script and style inside, allowed by their hashes, and nothing else.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The page, and what rolldown made of its script, for the notices. */
export async function buildPage(notices) {
  const { output: chunks } = await build({
    input: here('page.ts'),
    platform: 'browser',
    transform: { target: ['chrome100', 'firefox100', 'safari15'] },
    output: { format: 'iife', minify: true, charset: 'ascii', comments: false },
    write: false,
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  const js = chunks[0].code.trim();
  const css = ['theme.css', 'page.css', 'layer.css'].map((file) => minified(here(file))).join('');
  const dark = minified(here('dark.css'));
  const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const csp = `default-src 'none'; script-src ${hash(js)}; style-src ${hash(css)} ${hash(dark)}; base-uri 'none'; form-action 'none'`;
  const licences = notices(chunks).replaceAll('--', '- -').trim();
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${csp}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title><!--qdiff:title--></title>
<!--
${licences}
-->
<style>${css}</style>
<style media="screen and (prefers-color-scheme: dark)">${dark}</style>
<script>${js}</script>
</head>
<body>
<main>
<!--qdiff:content-->
</main>
<script type="application/json" id="data"><!--qdiff:data--></script>
</body>
</html>
`;
  return { html, chunks };
}

/** Without comments and needless space: our styles have no strings with any of it. */
function minified(file) {
  const text = readFileSync(file, 'utf8').replace(/\/\*.*?\*\/|\s+/gs, ' ');
  return text.replace(/ ?([{};,]) ?/g, '$1').trim();
}
