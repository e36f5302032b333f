// What keys mean on the map.
export type Command =
  | {
      /** A unit along one axis. */
      move: [number, number];
      /** Four times as far, not from seat to seat. */
      fast: boolean;
    }
  | { zoom: number }
  | 'fit'
  | 'choose';

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const others: Record<string, Command> = {
  '+': { zoom: 1.5 },
  '=': { zoom: 1.5 },
  '-': { zoom: 1 / 1.5 },
  '0': 'fit',
  Enter: 'choose',
  ' ': 'choose',
};

export function commandOf({ key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): Command | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  const move = arrows[key];
  return move ? { move, fast: shiftKey } : others[key];
}
