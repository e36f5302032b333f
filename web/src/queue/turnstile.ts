// Shows a widget with which people prove that they are human: Cloudflare Turnstile, or a compatible one.
import { t } from '../i18n/i18n.svelte';

/** What the widget's script defines. */
export interface Turnstile {
  render(box: HTMLElement, options: Options): string;
  remove(id: string): void;
}

interface Options {
  sitekey: string;
  callback: (response: string) => void;
  /** Returns whether the error was handled. */
  'error-callback': (code: string) => boolean;
}

let loading: Promise<Turnstile> | undefined;

/** Returns the response of a widget in a dialog. Error: it can't be loaded, it failed, or the dialog was closed. */
export async function widgetResponse(script: string, siteKey: string): Promise<string> {
  loading ??= load(script);
  const turnstile = await loading.catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', t('queue.human'));
  dialog.setAttribute('closedby', 'any');
  document.body.append(dialog);
  dialog.showModal();
  let id: string | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      dialog.onclose = () => reject(new Error('solve challenge: the dialog was closed'));
      id = turnstile.render(dialog, {
        sitekey: siteKey,
        callback: resolve,
        'error-callback': (code) => {
          reject(new Error(`solve challenge: error ${code} of the widget`));
          return true;
        },
      });
    });
  } finally {
    if (id !== undefined) turnstile.remove(id);
    dialog.remove();
  }
}

function load(address: string): Promise<Turnstile> {
  const script = document.createElement('script');
  const url = new URL(address);
  url.searchParams.set('render', 'explicit');
  script.src = url.href;
  const loaded = new Promise<Turnstile>((resolve, reject) => {
    const fail = () => {
      script.remove();
      reject(new Error(`solve challenge: ${url.origin} gives no widget`));
    };
    script.onerror = fail;
    script.onload = () => {
      const { turnstile } = globalThis as { turnstile?: Turnstile };
      if (turnstile) resolve(turnstile);
      else fail();
    };
  });
  document.head.append(script);
  return loaded;
}
