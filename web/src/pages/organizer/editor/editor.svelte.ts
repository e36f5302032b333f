// The seat plan editor's state: the draft with its past, what is selected, and the plan to draw.
import { SeatPlan } from '../../../map/plan';
import { SeatStates } from '../../../map/states';
import {
  duplicate,
  newArea,
  newSection,
  removeCategory,
  slug,
  type AreaDraft,
  type Brush,
  type SectionDraft,
  type VenueDraft,
} from '../draft';
import { capacity, sectionOf } from '../generate';
import { begin, change, redo, undo, type History } from '../history';
import { paintSeats, seatsOf, seatsOfRows } from './painting';

const stored = 'frontrow-venue-draft';

export class Editor {
  #history: History<VenueDraft>;
  /** Id of a section or area. */
  selected = $state<string>();
  readonly draft: VenueDraft;
  readonly section: SectionDraft | undefined;
  readonly area: AreaDraft | undefined;
  readonly seats: number;
  readonly plan: SeatPlan;
  readonly states: SeatStates;
  /** Indexes of the selected section's seats. */
  readonly chosen: ReadonlySet<number>;

  constructor(draft: VenueDraft) {
    this.#history = $state.raw(begin(draft));
    this.draft = $derived(this.#history.present);
    // Apart, so that a new name of the venue draws nothing again.
    const [categories, sections, areas] = [
      () => this.draft.categories,
      () => this.draft.sections,
      () => this.draft.areas,
    ];
    this.section = $derived(sections().find(({ id }) => id === this.selected));
    this.area = $derived(areas().find(({ id }) => id === this.selected));
    this.seats = $derived(capacity(this.draft));
    const parts = $derived.by(same(() => [categories(), sections(), areas()] as const));
    this.plan = $derived.by(() => {
      const [categories, sections, areas] = parts;
      return SeatPlan.draft({
        name: '',
        city: '',
        time_zone: '',
        categories: [...categories],
        sections: sections.map(sectionOf),
        areas: [...areas],
      });
    });
    this.states = $derived(new SeatStates(this.plan));
    this.chosen = $derived(seatsOf(this.plan, this.selected));
  }

  /** The draft that was not saved, in this tab. */
  static resume(): Editor | undefined {
    const kept = sessionStorage.getItem(stored);
    return kept ? new Editor(JSON.parse(kept) as VenueDraft) : undefined;
  }

  /** Returns whether there was room for the draft. */
  keep(): boolean {
    try {
      sessionStorage.setItem(stored, JSON.stringify(this.draft));
      return true;
    } catch {
      return false;
    }
  }

  static forget(): void {
    sessionStorage.removeItem(stored);
  }

  get canUndo(): boolean {
    return this.#history.past.length > 0;
  }

  get canRedo(): boolean {
    return this.#history.future.length > 0;
  }

  undo(): void {
    this.#history = undo(this.#history);
  }

  redo(): void {
    this.#history = redo(this.#history);
  }

  /** `to` names what is changed: changes of one thing that follow one another are one step. */
  change(part: Partial<VenueDraft>, to?: string): void {
    this.#history = change(this.#history, { ...this.draft, ...part }, to);
  }

  changeSection(id: string, part: Partial<SectionDraft>): void {
    this.change(
      { sections: this.draft.sections.map((section) => (section.id === id ? { ...section, ...part } : section)) },
      `${id} ${Object.keys(part).join()}`,
    );
  }

  changeArea(id: string, part: Partial<AreaDraft>): void {
    this.change(
      { areas: this.draft.areas.map((area) => (area.id === id ? { ...area, ...part } : area)) },
      `${id} ${Object.keys(part).join()}`,
    );
  }

  addSection(name: string): void {
    this.#add(newSection(this.draft, name));
  }

  duplicate(section: SectionDraft): void {
    this.#add(duplicate(this.draft, section));
  }

  #add(section: SectionDraft): void {
    this.change({ sections: [...this.draft.sections, section] });
    this.selected = section.id;
  }

  addArea(name: string): void {
    const area = newArea(this.draft, name);
    this.change({ areas: [...this.draft.areas, area] });
    this.selected = area.id;
  }

  remove(id: string): void {
    const others = <T extends { id: string }>(parts: readonly T[]) => parts.filter((part) => part.id !== id);
    this.change({ sections: others(this.draft.sections), areas: others(this.draft.areas) });
  }

  addCategory(name: string): void {
    const { categories } = this.draft;
    this.change({
      categories: [
        ...categories,
        {
          id: slug(
            name,
            categories.map(({ id }) => id),
          ),
          name,
        },
      ],
    });
  }

  renameCategory(id: string, name: string): void {
    this.change(
      { categories: this.draft.categories.map((category) => (category.id === id ? { id, name } : category)) },
      `category ${id}`,
    );
  }

  removeCategory(id: string): void {
    this.change(removeCategory(this.draft, id));
  }

  /** Paints seats of the plan, by their indexes. */
  paint(indexes: readonly number[], brush: Brush): void {
    this.change({ sections: paintSeats(this.draft.sections, this.plan, indexes, brush) });
  }

  paintRows(sectionId: string, from: number, to: number, brush: Brush): void {
    this.paint(seatsOfRows(this.plan, sectionId, from, to), brush);
  }
}

/** The values before, as long as each of them is the same. */
function same<T extends readonly unknown[]>(read: () => T): () => T {
  let last: T | undefined;
  return () => {
    const next = read();
    if (!last || next.some((value, i) => value !== last?.[i])) last = next;
    return last;
  };
}
