import { posix } from 'node:path';
import type { FileSystem } from '../../src/nouns/file.js';

/** A file system of files by path, with symbolic links; errors carry Node's codes. */
export function memoryFiles(
  files: Readonly<Record<string, Uint8Array | string>>,
  links: Readonly<Record<string, string>> = {},
): FileSystem & { readonly openCount: () => number } {
  let open = 0;
  const real = (path: string): string => {
    let resolved = posix.resolve('/', path);
    for (const [link, target] of Object.entries(links)) {
      if (resolved === link || resolved.startsWith(`${link}/`)) resolved = target + resolved.slice(link.length);
    }
    return resolved;
  };
  const content = new Map(Object.entries(files).map(([path, data]) => [posix.resolve('/', path), Buffer.from(data)]));
  const folder = (path: string) => `${real(path).replace(/\/$/, '')}/`;
  const isDirectory = (path: string) => [...content.keys()].some((file) => file.startsWith(folder(path)));
  const known = (path: string) => {
    if (!content.has(real(path)) && !isDirectory(path)) throw errno('ENOENT');
    return real(path);
  };
  return {
    openCount: () => open,
    open: async (path) => {
      const data = content.get(known(path));
      open++;
      return {
        size: data?.length ?? 4096,
        read: async (target, position) => {
          if (!data) throw errno('EISDIR');
          const part = data.subarray(position, position + target.length);
          target.set(part);
          return part.length;
        },
        close: async () => {
          open--;
        },
      };
    },
    realPath: async (path) => known(path),
    isDirectory: async (path) => {
      known(path);
      return isDirectory(path);
    },
    isFile: async (path) => content.has(known(path)),
    list: async (path) => {
      const prefix = folder(known(path));
      const names = [...content.keys()]
        .filter((file) => file.startsWith(prefix))
        .map((file) => file.slice(prefix.length));
      return [...new Set(names.map((name) => name.split('/')[0]))].sort();
    },
  };
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}
