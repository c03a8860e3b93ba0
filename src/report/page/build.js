// Makes the page that html.ts fills: script and style inside, allowed by their hashes, and nothing else.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The page's text, and esbuild's metafile for the notices. */
export async function buildPage(notices) {
  const { outputFiles, metafile } = await build({
    entryPoints: [here('page.ts'), here('page.css')],
    outdir: 'page',
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome100', 'firefox100', 'safari15'],
    charset: 'ascii',
    legalComments: 'none',
    metafile: true,
    write: false,
  });
  const [js, css] = ['.js', '.css'].map((end) => outputFiles.find(({ path }) => path.endsWith(end)).text.trim());
  const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const csp = `default-src 'none'; script-src ${hash(js)}; style-src ${hash(css)}; base-uri 'none'; form-action 'none'`;
  const licences = notices([metafile]).replaceAll('--', '- -').trim();
  const page = `<!doctype html>
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
</head>
<body>
<main>
<!--qdiff:content-->
</main>
<script type="application/json" id="data"><!--qdiff:data--></script>
<script>${js}</script>
</body>
</html>
`;
  return { page, metafile };
}
