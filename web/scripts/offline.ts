// Completes the service worker of a build with the files that the app needs without a network.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest, Plugin } from 'vite';

/** Writes the build's files into its worker, whose name is of no hash: browsers look for a newer one by it. */
export function offlineFiles({ out, entry, worker }: { out: string; entry: string; worker: string }): Plugin {
  return {
    name: 'offline-files',
    apply: 'build',
    enforce: 'post',
    closeBundle() {
      const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest;
      const files = new Set<string>();
      const visited = new Set<string>();
      const visit = (name: string) => {
        const chunk = manifest[name];
        if (!chunk || visited.has(name)) return;
        visited.add(name);
        for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(`/${file}`);
        [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])].forEach(visit);
      };
      visit(entry);
      const page = readFileSync(join(out, entry));
      const integrity = `sha256-${createHash('sha256').update(page).digest('base64')}`;
      const build = {
        id: createHash('sha256')
          .update(page)
          .update([...files].join())
          .digest('hex')
          .slice(0, 16),
        integrity,
        files: [...files].toSorted(),
      };
      const path = join(out, worker);
      const code = readFileSync(path, 'utf8');
      writeFileSync(path, `const BUILD=${JSON.stringify(build)};\n${code}`);
      console.log(`  the check-in keeps ${files.size} files for use without a network`);
    },
  };
}
