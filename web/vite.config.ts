import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { bundleBudget, precompress } from './scripts/bundle';
import { offlineFiles } from './scripts/offline';

export default defineConfig({
  plugins: [
    svelte(),
    // What a buyer loads before the seat map is on the screen.
    bundleBudget({
      entries: [
        'index.html',
        'src/pages/buyer/Home.svelte',
        'src/pages/buyer/EventPage.svelte',
        ...['common', 'buyer', 'map'].map((area) => `src/messages/de/${area}.json`),
      ],
      gzippedKilobytes: 100,
    }),
    offlineFiles({ out: 'dist/app', entry: 'index.html', worker: 'worker.js' }),
    precompress(),
  ],
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2022',
    // A file inlined as data: would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: 'manifest.json',
    rolldownOptions: {
      // The API reference is a page by itself: the shop loads nothing of it.
      input: { app: 'index.html', 'api-docs': 'api-docs.html', worker: 'src/offline/worker.ts' },
      output: { entryFileNames: ({ name }) => (name === 'worker' ? 'worker.js' : 'assets/[name]-[hash].js') },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
  server: { port: 5173, proxy: { '/api': process.env.FRONTROW_URL ?? 'http://127.0.0.1:8080' } },
});
