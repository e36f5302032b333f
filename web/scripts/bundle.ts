// Two steps at the end of a build: the sizes of what a buyer loads, held against a budget; and compressed copies,
// so that the server compresses nothing.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Manifest, Plugin } from 'vite';

const out = 'dist/app';

/** Fails the build when the entries, with all they import at once, are larger than the budget. */
export function bundleBudget(budget: { entries: string[]; gzippedKilobytes: number }): Plugin {
  return {
    name: 'bundle-budget',
    apply: 'build',
    enforce: 'post',
    closeBundle() {
      const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest;
      const files = new Set<string>(['index.html']);
      const visit = (name: string) => {
        const chunk = manifest[name];
        if (!chunk) throw new Error(`${name} is not in the bundle`);
        if (files.has(chunk.file)) return;
        for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
        chunk.imports?.forEach(visit);
      };
      budget.entries.forEach(visit);
      let total = 0;
      for (const file of files) {
        const size = gzipSync(readFileSync(join(out, file)), { level: 9 }).length;
        total += size;
        console.log(`  ${file.padEnd(48)} ${(size / 1000).toFixed(1).padStart(7)} kB gzipped`);
      }
      console.log(
        `  a buyer's pages load ${(total / 1000).toFixed(1)} kB gzipped, at most ${budget.gzippedKilobytes} kB allowed`,
      );
      if (total > budget.gzippedKilobytes * 1000)
        throw new Error(`a buyer's pages load more than ${budget.gzippedKilobytes} kB`);
    },
  };
}

/** Writes a .gz and a .br beside each text file. */
export function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post',
    closeBundle: {
      sequential: true,
      order: 'post',
      handler() {
        for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile() || !/\.(html|js|css|svg|webmanifest)$/.test(entry.name)) continue;
          const path = join(entry.parentPath, entry.name);
          const content = readFileSync(path);
          writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
          writeFileSync(
            `${path}.br`,
            brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
          );
        }
      },
    },
  };
}
