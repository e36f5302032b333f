import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Turnstile } from './turnstile';

class FakeElement {
  src = '';
  onload = () => {};
  onerror = () => {};
  onclose = () => {};
  readonly setAttribute = vi.fn();
  readonly showModal = vi.fn();
  readonly remove = vi.fn();
  constructor(readonly name: string) {}
}

let made: FakeElement[];
let turnstile: Turnstile;
let rendered: Parameters<Turnstile['render']>[1];
const all = (name: string) => made.filter((element) => element.name === name);
const last = (name: string) => all(name).at(-1) ?? expect.fail(`no ${name} was made`);

beforeEach(() => {
  vi.resetModules();
  made = [];
  turnstile = {
    render: vi.fn((_, options) => {
      rendered = options;
      return 'widget-1';
    }),
    remove: vi.fn(),
  };
  vi.stubGlobal('navigator', { languages: [] });
  vi.stubGlobal('localStorage', { getItem: () => null });
  vi.stubGlobal('document', {
    createElement: (name: string) => {
      made.push(new FakeElement(name));
      return made.at(-1);
    },
    head: { append: vi.fn() },
    body: { append: vi.fn() },
  });
});
afterEach(() => void vi.unstubAllGlobals());

/** Begins to ask, and answers the request for the script. */
async function shown() {
  const { widgetResponse } = await import('./turnstile');
  const response = widgetResponse('https://provider.example/api.js?v=1', 'site');
  response.catch(() => {});
  vi.stubGlobal('turnstile', turnstile);
  last('script').onload();
  await vi.waitFor(() => expect(turnstile.render).toHaveBeenCalledOnce());
  return { response };
}

test('the widget is shown in a dialog until it responds', async () => {
  const { response } = await shown();
  expect(last('script').src).toBe('https://provider.example/api.js?v=1&render=explicit');
  expect(last('dialog').showModal).toHaveBeenCalledOnce();
  expect(rendered.sitekey).toBe('site');
  rendered.callback('the response');
  expect(await response).toBe('the response');
  expect(turnstile.remove).toHaveBeenCalledExactlyOnceWith('widget-1');
  expect(last('dialog').remove).toHaveBeenCalledOnce();
});

test('a widget that fails, and a dialog that is closed, end it', async () => {
  const failed = await shown();
  expect(rendered['error-callback']('300010')).toBe(true);
  await expect(failed.response).rejects.toThrow('error 300010');
  const { widgetResponse } = await import('./turnstile');
  const closed = widgetResponse('https://provider.example/api.js?v=1', 'site');
  closed.catch(() => {});
  await vi.waitFor(() => expect(turnstile.render).toHaveBeenCalledTimes(2));
  last('dialog').onclose();
  await expect(closed).rejects.toThrow('closed');
  expect(all('script')).toHaveLength(1);
  expect(last('dialog').remove).toHaveBeenCalledOnce();
});

test('a script that is blocked is loaded again the next time', async () => {
  const { widgetResponse } = await import('./turnstile');
  const blocked = widgetResponse('https://provider.example/api.js', 'site');
  last('script').onerror();
  await expect(blocked).rejects.toThrow('https://provider.example gives no widget');
  void widgetResponse('https://provider.example/api.js', 'site').catch(() => {});
  await vi.waitFor(() => expect(all('script')).toHaveLength(2));
  expect(all('dialog')).toEqual([]);
});
