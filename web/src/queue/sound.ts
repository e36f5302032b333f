// A short chime, made here: nothing to load. Browsers play sounds only after the user has done something on the page.
const notes = [659, 880]; // E5 and A5, in hertz
const volume = 0.3;
const spacing = 0.18; // seconds between notes
const decay = 0.9; // seconds

/** Plays the chime. */
export function chime(context: AudioContext): void {
  for (const [i, frequency] of notes.entries()) {
    const start = context.currentTime + i * spacing;
    const oscillator = new OscillatorNode(context, { frequency });
    const gain = new GainNode(context, { gain: volume });
    gain.gain.setValueAtTime(volume, start);
    gain.gain.exponentialRampToValueAtTime(0.001, start + decay);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(start);
    oscillator.stop(start + decay);
  }
}
