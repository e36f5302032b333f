import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const origin = 'https://tickets.example';
type Handler = (event: unknown) => void;
let handlers: Record<string, Handler>;
let caches: Map<string, Map<string, string>>;
let server: (url: string) => Response | Promise<Response>;

const pathOf = (what: RequestInfo) => new URL(typeof what === 'string' ? what : what.url, origin).pathname;

beforeEach(async () => {
  handlers = {};
  caches = new Map();
  server = (url) => new Response(`network ${pathOf(url)}`);
  vi.stubGlobal('self', {
    location: { origin },
    addEventListener: (name: string, handler: Handler) => (handlers[name] = handler),
  });
  vi.stubGlobal('BUILD', { id: '2', integrity: 'sha256-x', files: ['/assets/main-1.js'] });
  vi.stubGlobal(
    'Request',
    class {
      constructor(
        readonly url: string,
        readonly init: RequestInit,
      ) {}
    },
  );
  vi.stubGlobal('fetch', (request: Request) => Promise.resolve().then(() => server(request.url)));
  vi.stubGlobal('caches', {
    keys: () => Promise.resolve([...caches.keys()]),
    delete: (name: string) => Promise.resolve(caches.delete(name)),
    open(name: string) {
      const files = caches.get(name) ?? new Map<string, string>();
      caches.set(name, files);
      return Promise.resolve({
        add(one: RequestInfo) {
          files.set(pathOf(one), `kept ${pathOf(one)}`);
          return Promise.resolve();
        },
      });
    },
    match: (what: RequestInfo, { cacheName }: { cacheName: string }) => {
      const text = caches.get(cacheName)?.get(pathOf(what));
      return Promise.resolve(text === undefined ? undefined : new Response(text));
    },
  });
  vi.resetModules();
  await import('./worker');
  await lifecycle('install');
});
afterEach(() => vi.unstubAllGlobals());

async function lifecycle(name: string) {
  let done: Promise<unknown> | undefined;
  handlers[name]?.({ waitUntil: (promise: Promise<unknown>) => (done = promise) });
  await done;
}

/** What a page is answered, or undefined if the worker leaves the request to the browser. */
async function answer(path: string, more: Partial<Request> = {}): Promise<string | undefined> {
  let response: Promise<Response> | undefined;
  const request = { method: 'GET', mode: 'cors', url: new URL(path, origin).href, ...more };
  handlers.fetch?.({ request, respondWith: (promise: Promise<Response>) => (response = promise) });
  return (await response)?.text();
}
const open = (path: string) => answer(path, { mode: 'navigate' });

test('a page comes from the server while it can be reached, so that a new build is seen at once', async () => {
  expect(await open('/organizer/events/1/check-in')).toBe('network /organizer/events/1/check-in');
});

test.each([
  ['is out of reach', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['is overloaded', () => new Response('busy', { status: 503 })],
])('the kept page is shown when the server %s', async (_, fails) => {
  server = fails;
  expect(await open('/organizer/check-in')).toBe('kept /index.html');
});

test('files come from the build that is kept, and those of a newer one from the server', async () => {
  expect(await answer('/assets/main-1.js')).toBe('kept /assets/main-1.js');
  expect(await answer('/assets/main-2.js')).toBe('network /assets/main-2.js');
});

test.each([
  ['a request of the API', '/api/v1/events', {}],
  ['what changes something', '/assets/main-1.js', { method: 'POST' }],
  ['another host', 'https://elsewhere.example/assets/main-1.js', {}],
  ['a stream', '/api/v1/events/1/seats/stream', {}],
])('%s is left alone', async (_, path, more) => {
  expect(await answer(path, more)).toBeUndefined();
});

test('only the files of the newest build are kept, and nothing of others is removed', async () => {
  for (const name of ['app-1', 'somebody-else']) caches.set(name, new Map());
  await lifecycle('activate');
  expect([...caches.keys()]).toEqual(['app-2', 'somebody-else']);
});
