// What mouse, fingers and keys do on the seat map: move the camera, point at seats, choose them.
import { t } from '../i18n/i18n.svelte';
import type { Position } from './camera';
import { describeGroup, describeSeat } from './describe';
import { listen } from './gestures';
import type { Target } from './hitTest';
import { commandOf } from './keyboard';
import type { Point } from './outline';
import type { SeatPlan } from './plan';
import type { Renderer } from './renderer';
import type { SeatStates } from './states';

export interface SeatMapProps {
  plan: SeatPlan;
  states: SeatStates;
  /** Grows when states change. */
  tick: number;
  chosen: ReadonlySet<number>;
  /** Seats the user holds or has bought. */
  mine?: ReadonlySet<number>;
  mode: 'choose' | 'watch' | 'paint';
  ontoggle?: (index: number) => void;
  /** Seats that were painted over. */
  onpaint?: (indexes: number[]) => void;
  onarea?: (area: number) => void;
  /** What is known of a seat, in words. */
  describe?: (index: number) => string;
}

/** What dragging does in mode `paint`. */
export type Tool = 'paint' | 'move';

/** Least distance between seats, in CSS pixels, at which a finger hits one. */
const tapSize = 14;

export class MapInput {
  tool = $state<Tool>('paint');
  /** Says what is pointed at. */
  tip = $state.raw<{ text: string; at: Point } | undefined>();
  /** The same for screen readers, when it was reached by key. */
  spoken = $state('');
  target: Target | undefined;
  /** A rectangle being drawn, in CSS pixels. */
  rectangle: { from: Point; to: Point } | undefined;
  /** The last input was a key: the target is in the middle. */
  byKey = false;
  readonly painting = $derived.by(() => this.props().mode === 'paint' && this.tool === 'paint');
  readonly calm = matchMedia('(prefers-reduced-motion: reduce)');
  /** Where the mouse is. */
  private pointer: Point | undefined;

  constructor(
    private readonly props: () => SeatMapProps,
    private readonly renderer: () => Renderer | undefined,
    private readonly redraw: () => void,
  ) {}

  /** Listens on the map's canvas until the returned function is called. */
  readonly listen = (canvas: HTMLElement): (() => void) => {
    const stopGestures = listen(canvas, {
      framing: (shift) => this.props().mode === 'paint' && (this.tool === 'paint') !== shift,
      pan: (dx, dy) => this.pan(dx, dy),
      zoom: (factor, at) => this.zoom(factor, at),
      click: (at, pointerType) => this.click(at, pointerType),
      doubleClick: (at) => this.doubleClick(at),
      hover: (at) => this.hover(at),
      frame: (from, to, done) => this.drawRectangle(from, to, done),
    });
    const stop = new AbortController();
    canvas.addEventListener('keydown', (event) => this.keydown(event), { signal: stop.signal });
    canvas.addEventListener('blur', () => this.blur(), { signal: stop.signal });
    return () => {
      stopGestures();
      stop.abort();
    };
  };

  /** Forgets what belongs to a plan that is no longer shown. */
  reset(): void {
    this.target = this.rectangle = undefined;
    this.tip = undefined;
  }

  /** Looks again at what is pointed at: it may have changed. */
  refresh(): void {
    if (this.tip) this.point(this.tip.at);
  }

  // Moving

  readonly zoomBy = (factor: number, at?: Point): void => {
    const renderer = this.renderer();
    if (renderer) this.flyTo(renderer.camera.zoomed(factor, at));
  };

  readonly fit = (): void => {
    this.renderer()?.camera.fit();
    this.point(undefined);
    this.redraw();
  };

  private flyTo(to: Position): void {
    const renderer = this.renderer();
    this.point(undefined);
    if (this.calm.matches) renderer?.camera.goto(to);
    else renderer?.camera.flyTo(to);
    this.redraw();
  }

  private pan(dx: number, dy: number): void {
    this.byKey = false;
    this.renderer()?.camera.panBy(dx, dy);
    this.redraw();
  }

  private zoom(factor: number, at: Point): boolean {
    const renderer = this.renderer();
    if (!renderer || (factor < 1 && renderer.camera.fitted)) return false;
    this.byKey = false;
    renderer.camera.zoomAt(factor, at.x, at.y);
    this.hover(undefined);
    this.redraw();
    return true;
  }

  // Pointing and choosing

  private drawRectangle(from: Point, to: Point, done: boolean | undefined): void {
    const renderer = this.renderer();
    this.rectangle = done === false ? { from, to } : undefined;
    if (done && renderer) this.props().onpaint?.(renderer.hits.seatsIn(from, to));
    this.redraw();
  }

  private click(at: Point, pointerType: string): void {
    const renderer = this.renderer();
    if (!renderer) return;
    this.byKey = false;
    const mouse = pointerType === 'mouse';
    // A finger needs larger seats than a mouse.
    const precise = mouse || renderer.camera.seat >= tapSize;
    this.act(renderer, renderer.hits.at(at.x, at.y, mouse ? undefined : 24), precise, at);
    if (mouse && !renderer.camera.flying) this.point(at);
  }

  private act(renderer: Renderer, on: Target | undefined, precise: boolean, at: Point): void {
    const { camera } = renderer;
    const { mode, chosen, states, onarea, onpaint, ontoggle } = this.props();
    if (!on) return;
    if ('area' in on) onarea?.(on.area);
    else if ('section' in on) this.flyTo(camera.around(renderer.boundsOf(on.section)));
    else if (mode === 'paint') onpaint?.([on.seat]);
    else if (mode !== 'choose') return;
    else if (!precise) this.zoomBy(24 / camera.seat, at);
    else if (chosen.has(on.seat) || states.of(on.seat) === 'available') ontoggle?.(on.seat);
  }

  private doubleClick(at: Point): void {
    const on = this.renderer()?.hits.at(at.x, at.y);
    // Two seats clicked quickly, or one chosen and given back.
    if (on && 'seat' in on && this.props().mode !== 'watch') this.click(at, 'mouse');
    else this.zoomBy(2, at);
  }

  private hover(at: Point | undefined): void {
    this.pointer = at;
    if (this.byKey && !at) return;
    this.byKey = false;
    this.point(at);
  }

  private point(at: Point | undefined): void {
    const renderer = this.renderer();
    const next = at && renderer?.hits.at(at.x, at.y);
    if (JSON.stringify(next) !== JSON.stringify(this.target)) this.redraw();
    this.target = next;
    this.tip = next && at ? { text: this.describe(next), at } : undefined;
    renderer?.setCursor(next && (this.props().mode === 'choose' || !('seat' in next)) ? 'pointer' : '');
  }

  private describe(on: Target): string {
    const { plan, states, chosen, describe } = this.props();
    if (!('seat' in on)) return describeGroup(plan, states, on);
    const seat = describe?.(on.seat) ?? describeSeat(plan, states, on.seat);
    return [seat, chosen.has(on.seat) && t('map.legend.chosen')].filter(Boolean).join(', ');
  }

  // Keys

  private keydown(event: KeyboardEvent): void {
    const command = commandOf(event);
    const renderer = this.renderer();
    if (!renderer || !command) return;
    event.preventDefault();
    const { camera, hits } = renderer;
    const middle = { x: camera.width / 2, y: camera.height / 2 };
    camera.stop();
    if (command === 'fit') camera.fit();
    else if (command === 'choose') this.act(renderer, hits.at(middle.x, middle.y), true, middle);
    else if ('zoom' in command) camera.zoomAt(command.zoom, middle.x, middle.y);
    else this.move(renderer, ...command.move, command.fast);
    this.byKey = true;
    this.point(middle);
    this.spoken = this.tip?.text ?? '';
    this.redraw();
  }

  /** Near, from seat to seat; otherwise, or fast, by a distance. */
  private move({ camera, hits }: Renderer, dx: number, dy: number, fast: boolean): void {
    const seat = camera.seat >= tapSize && !fast ? hits.next(dx, dy) : undefined;
    const distance = fast ? 192 : 48;
    if (seat) camera.goto({ scale: camera.scale, x: seat.x, y: seat.y });
    else camera.panBy(-distance * dx, -distance * dy);
  }

  private blur(): void {
    this.byKey = false;
    if (!this.pointer) this.point(undefined);
    this.redraw();
  }
}
