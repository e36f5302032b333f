// Turns pointer and wheel events on the map into gestures. Lengths are CSS pixels.
import type { Point } from './outline';

export interface Gestures {
  /** Whether a drag draws a rectangle instead of moving the map. */
  framing: (shift: boolean) => boolean;
  pan: (dx: number, dy: number) => void;
  /** Returns whether there was anything to zoom: if not, the page scrolls. */
  zoom: (factor: number, at: Point) => boolean;
  click: (at: Point, pointer: string) => void;
  doubleClick: (at: Point) => void;
  /** Where the mouse is; undefined when it left. */
  hover: (at: Point | undefined) => void;
  /** A rectangle; `done` when it is finished, undefined when it was given up. */
  frame: (from: Point, to: Point, done: boolean | undefined) => void;
}

/** A pointer that moves less than this clicks. */
const still = 6;
const doubleClickTime = 300;
const doubleClickReach = 24;

/** Listens on the element; the answer stops it. */
export function listen(element: HTMLElement, on: Gestures): () => void {
  const pointers = new Map<number, Point>();
  let start: Point | undefined;
  let moved = false;
  let framing = false;
  let lastClick = { at: { x: -Infinity, y: -Infinity }, time: -Infinity };

  const place = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const pinch = (): { middle: Point; spread: number } => {
    const [a, b] = [...pointers.values()] as [Point, Point];
    return {
      middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
      spread: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
    };
  };
  const giveUpFrame = () => {
    if (framing && start) on.frame(start, start, undefined);
    framing = false;
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, place(event));
    element.setPointerCapture(event.pointerId);
    if (pointers.size === 1) {
      start = place(event);
      moved = false;
      framing = on.framing(event.shiftKey);
    } else {
      // With a second finger it is a pinch from here on.
      moved = true;
      giveUpFrame();
    }
  };
  const move = (event: PointerEvent) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (!before || !start) {
      if (event.pointerType === 'mouse') on.hover(at);
      return;
    }
    if (!moved && Math.hypot(at.x - start.x, at.y - start.y) < still) return;
    if (!moved) on.hover(undefined);
    if (pointers.size === 2) {
      const was = pinch();
      pointers.set(event.pointerId, at);
      const is = pinch();
      on.pan(is.middle.x - was.middle.x, is.middle.y - was.middle.y);
      on.zoom(is.spread / was.spread, is.middle);
    } else {
      pointers.set(event.pointerId, at);
      if (framing) on.frame(start, at, false);
      else on.pan(at.x - before.x, at.y - before.y);
    }
    moved = true;
  };
  const up = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId) || pointers.size > 0 || !start) return;
    const at = place(event);
    if (framing && moved) on.frame(start, at, true);
    else if (!moved) click(at, event);
    framing = false;
    start = undefined;
  };
  const click = (at: Point, event: PointerEvent) => {
    const double =
      event.timeStamp - lastClick.time < doubleClickTime &&
      Math.hypot(at.x - lastClick.at.x, at.y - lastClick.at.y) < doubleClickReach;
    lastClick = { at, time: double ? -Infinity : event.timeStamp };
    if (double) on.doubleClick(at);
    else on.click(at, event.pointerType);
  };
  const cancel = (event: PointerEvent) => {
    pointers.delete(event.pointerId);
    giveUpFrame();
    if (pointers.size === 0) start = undefined;
  };
  const leave = () => on.hover(undefined);
  const wheel = (event: WheelEvent) => {
    // Lines or pixels; a pinch on a touchpad comes as a wheel with ctrl, in small steps.
    const delta = event.deltaY * (event.deltaMode === 1 ? 16 : 1) * (event.ctrlKey ? 4 : 1);
    const factor = Math.exp(-Math.min(Math.max(delta, -200), 200) * 0.0022);
    if (on.zoom(factor, place(event))) event.preventDefault();
  };

  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener('pointerdown', down, { signal });
  element.addEventListener('pointermove', move, { signal });
  element.addEventListener('pointerup', up, { signal });
  element.addEventListener('pointercancel', cancel, { signal });
  element.addEventListener('pointerleave', leave, { signal });
  element.addEventListener('wheel', wheel, { signal, passive: false });
  return () => stop.abort();
}
