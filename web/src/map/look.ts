// How seats look in the current theme. Colours are `#rrggbb`.
import { dark } from '../theme.svelte';

export interface Look {
  dark: boolean;
  font: string;
  surface: string;
  page: string;
  line: string;
  lineStrong: string;
  text: string;
  muted: string;
  accent: string;
  accentText: string;
}

/** The colours of the page's tokens. */
export function lookOf(element: HTMLElement): Look {
  const style = getComputedStyle(element);
  const context = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
  const token = (name: string): string => {
    // A canvas gives any notation back as #rrggbb.
    context.fillStyle = style.getPropertyValue(name);
    return context.fillStyle;
  };
  return {
    dark: dark(),
    font: style.fontFamily,
    surface: token('--surface'),
    page: token('--page'),
    line: token('--line'),
    lineStrong: token('--line-strong'),
    text: token('--text'),
    muted: token('--muted'),
    accent: token('--accent'),
    accentText: token('--accent-text'),
  };
}

/** Adds a seat's shape to the path: round, or for an accessible seat a rounded square of the same area. */
export function seatShape(
  path: Path2D | CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  accessible: boolean,
): void {
  if (accessible) path.roundRect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8, radius * 0.35);
  else {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  }
}
