// Reads QR codes from a video: by the browser where it can, else by jsQR, which is loaded only then.

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
declare global {
  interface Window {
    BarcodeDetector?: { new (options: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> };
  }
}

/** Gives the text of the code in the picture, if there is one. */
export type Reader = (video: HTMLVideoElement) => Promise<string | undefined>;

export async function reader(): Promise<Reader> {
  const BarcodeDetector = window.BarcodeDetector;
  const formats = await BarcodeDetector?.getSupportedFormats().catch((): string[] => []);
  if (BarcodeDetector && formats?.includes('qr_code')) {
    const detector = new BarcodeDetector({ formats: ['qr_code'] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  const { default: jsQR } = await import('jsqr');
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  return (video) => {
    // A ticket held to the camera is large in it: more pixels only take longer.
    const scale = Math.min(1, 640 / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    if (!pen || canvas.width === 0) return Promise.resolve(undefined);
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data, width, height } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return Promise.resolve(jsQR(data, width, height, { inversionAttempts: 'dontInvert' })?.data);
  };
}

/** Passes a code on once while it stays before the camera. */
export function once(gone = 2000): (code: string, now?: number) => boolean {
  let last = '';
  let seen = -Infinity;
  return (code, now = Date.now()) => {
    const fresh = code !== last || now - seen > gone;
    last = code;
    seen = now;
    return fresh;
  };
}
