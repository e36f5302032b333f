/// <reference lib="webworker" />
export {}; // a module of its own, so that these names are not global
// Keeps the app for the check-in without a network: the pages below /organizer/ and the files of one build that they
// need. It touches nothing else, the API least of all.
declare const self: ServiceWorkerGlobalScope;

/** Of the build; scripts/offline.ts fills it in. */
declare const BUILD: { id: string; integrity: string; files: string[] };

const shell = '/index.html';
const prefix = 'app-';
const cacheName = prefix + BUILD.id;
/** How long a page waits for the server, in milliseconds. */
const patience = 4000;

self.addEventListener('install', (event) => {
  event.waitUntil(fill());
});
self.addEventListener('activate', (event) => {
  event.waitUntil(removeOthers());
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (pathname.startsWith('/assets/')) event.respondWith(asset(request));
});

/**
 * Loads one file after the other, as the gateway limits bursts. During a deployment another replica may answer with
 * another build's page: then this fails, and the browser tries again at the next visit.
 */
async function fill(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.add(new Request(shell, { integrity: BUILD.integrity, cache: 'no-cache' }));
  for (const file of BUILD.files) await cache.add(file);
}

/** A new worker starts when no page of the old one is open, so the old files are needed no more. */
async function removeOthers(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
}

/** The server's page first: it may be of a newer build. */
async function page(request: Request): Promise<Response> {
  let answer: Response | undefined;
  try {
    answer = await fetch(request, { signal: AbortSignal.timeout(patience) });
    if (answer.status < 400) return answer;
  } catch {
    // There is no network.
  }
  return (await kept(shell)) ?? answer ?? Response.error();
}

/** A file's name contains a hash of its content. */
const asset = async (request: Request): Promise<Response> => (await kept(request)) ?? fetch(request);

const kept = (what: RequestInfo): Promise<Response | undefined> => caches.match(what, { cacheName, ignoreVary: true });
