// The built app with one event of 50,000 seats, without a backend: what the seat map asks for, and some changes a
// second.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createServer as createVite } from 'vite';

const app = fileURLToPath(new URL('../dist/app/', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};
const eventId = '0193b3a0-3333-7abc-8def-000000000003';
const changesASecond = 50;

/** The made-up venue is the one the tests use. */
async function arena() {
  const vite = await createVite({
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    server: { middlewareMode: true, hmr: false, ws: false },
  });
  try {
    const example = await vite.ssrLoadModule('/src/map/example.ts');
    return example.arena();
  } finally {
    await vite.close();
  }
}

export async function mock() {
  const venue = await arena();
  const event = {
    id: eventId,
    name: 'The night everybody wants',
    description: '',
    venue: { id: venue.id, name: venue.name, city: venue.city, time_zone: venue.time_zone },
    starts_at: '2099-06-01T18:00:00Z',
    ends_at: '2099-06-01T21:00:00Z',
    time_zone: venue.time_zone,
    currency: 'EUR',
    ticket_types: venue.categories.map(({ id, name }, n) => ({
      id,
      name,
      category: id,
      kind: 'seated',
      price: { amount: 12900 - 2000 * n, currency: 'EUR' },
    })),
    sale_starts_at: '2020-01-01T00:00:00Z',
    sale_ends_at: '2099-05-31T18:00:00Z',
    max_seats_per_buyer: 10,
    hold_seconds: 600,
    queue: { mode: 'off' },
    status: 'published',
    version: 1,
    organizer_id: venue.owner_id,
    created_at: venue.created_at,
    updated_at: venue.created_at,
  };
  const sizes = new Map();
  for (const { rows } of venue.sections) {
    for (const { seats } of rows) {
      for (const { id } of seats) {
        const block = id.split('-')[0];
        sizes.set(block, (sizes.get(block) ?? 0) + 1);
      }
    }
  }
  const state = (n) => ((n * 7919) % 97 < 40 ? 's' : (n * 7919) % 97 < 46 ? 'h' : 'a');
  const versions = new Map([...sizes.keys()].map((id) => [id, 1]));
  const snapshot = {
    event_id: eventId,
    version: 1,
    blocks: [...sizes].map(([id, size]) => ({
      id,
      version: 1,
      states: Array.from({ length: size }, (_, i) => state(i * Number(id))).join(''),
    })),
  };
  // As the gateway does: compressed once.
  const answers = new Map(
    [
      [`/api/v1/events/${eventId}`, event],
      [`/api/v1/venues/${venue.id}`, venue],
      [`/api/v1/events/${eventId}/seats`, snapshot],
    ].map(([path, body]) => [path, gzipSync(JSON.stringify(body))]),
  );

  const streams = new Set();
  let changes = 0;
  const ticker = setInterval(() => {
    const ids = [...sizes.keys()];
    const block = ids[changes % ids.length];
    const version = versions.get(block) + 1;
    versions.set(block, version);
    const seat = (changes * 31) % sizes.get(block);
    const data = JSON.stringify({
      block,
      version,
      seats: { [`${block}-${seat}`]: ['held', 'sold', 'available'][changes % 3] },
    });
    changes++;
    for (const stream of streams) stream.write(`id: m.${changes}\nevent: delta\ndata: ${data}\n\n`);
  }, 1000 / changesASecond);

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://mock');
    if (pathname === `/api/v1/events/${eventId}/seats/stream`) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.write(
        `id: m.0\nevent: snapshot\ndata: ${JSON.stringify({ ...snapshot, blocks: snapshot.blocks.map((block) => ({ ...block, version: versions.get(block.id) })) })}\n\n`,
      );
      streams.add(response);
      request.on('close', () => streams.delete(response));
    } else if (answers.has(pathname)) {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' });
      response.end(answers.get(pathname));
    } else if (pathname.startsWith('/api/')) {
      response.writeHead(401, { 'Content-Type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'session_required' }));
    } else await file(pathname, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    clearInterval(ticker);
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close, event: eventId };
}

async function file(pathname, response) {
  const wanted = extname(pathname) ? pathname : '/index.html';
  try {
    const body = await readFile(join(app, normalize(wanted)));
    response.writeHead(200, {
      'Content-Type': types[extname(wanted)] ?? 'application/octet-stream',
      'Content-Encoding': 'gzip',
    });
    response.end(gzipSync(body));
  } catch {
    response.writeHead(404);
    response.end();
  }
}
