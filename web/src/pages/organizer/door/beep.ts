// Two tones that can be told apart without looking: up for in, low for stop.

let context: AudioContext | undefined;

/** Browsers allow sound only after a first press; without one there is none. */
export function beep(good: boolean): void {
  context ??= new AudioContext();
  void context.resume();
  const tones = good
    ? ([
        [880, 0, 0.09],
        [1320, 0.1, 0.14],
      ] as const)
    : ([
        [220, 0, 0.18],
        [180, 0.22, 0.3],
      ] as const);
  for (const [frequency, after, length] of tones) tone(context, frequency, after, length);
}

function tone(audio: AudioContext, frequency: number, after: number, length: number): void {
  const start = audio.currentTime + after;
  const source = audio.createOscillator();
  const volume = audio.createGain();
  source.frequency.value = frequency;
  // A soft end, or it clicks.
  volume.gain.setValueAtTime(0.25, start);
  volume.gain.exponentialRampToValueAtTime(0.001, start + length);
  source.connect(volume).connect(audio.destination);
  source.start(start);
  source.stop(start + length);
}
