// People who buy an event's seats, as many do at the start of a sale: most of them early, the best seats first.
import type { Schemas } from '../src/api/client';
import { book, pay, person, type Person } from './world';

const firstNames = 'Anna Ben Clara David Eva Felix Greta Hugo Ida Jakob Lena Leo Mara Noah Rosa Simon'.split(' ');
const lastNames = 'Berger Hofer Novak Steiner Weber'.split(' ');
const partySizes = [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6];
/** One party in so many holds seats and does not pay. */
const undecided = 6;

type Seat = Schemas['Section']['rows'][number]['seats'][number];

/** The same numbers between 0 and 1 in every run, so that the pictures differ only where the pages do. */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const hold = (who: Person, eventId: string, seats: Seat[]): Promise<Schemas['Booking']> =>
  book(who, eventId, { seat_ids: seats.map(({ id }) => id) });

/** Sells seats to a crowd for about a minute and a half, but not those that are spared. Returns who bought which. */
export async function crowd(
  eventId: string,
  venue: Schemas['Venue'],
  spared: Seat[],
): Promise<{ who: Person; booking: Schemas['Booking'] }[]> {
  const random = randomNumbers(8);
  const rows = venue.sections.flatMap((section) => section.rows);
  const front = new Map<string, number>();
  for (const { category = '', seats } of rows)
    front.set(category, Math.min(front.get(category) ?? Infinity, ...seats.map(({ y }) => y)));
  const taken = new Set(spared.map(({ id }) => id));

  /** Free neighbours: of some that were looked at, those nearest to the front and the middle. */
  function choose(size: number): Seat[] {
    let best: Seat[] = [];
    let least = Infinity;
    for (let i = 0; i < 12; i++) {
      const { seats = [], category = '' } = rows[Math.floor(random() * rows.length)] ?? {};
      const from = Math.floor(random() * (seats.length - size + 1));
      const some = seats.slice(Math.max(0, from), from + size);
      const [first] = some;
      if (!first || some.length < size || some.some(({ id, accessible }) => accessible || taken.has(id))) continue;
      const distance = Math.hypot(first.x, 1.5 * (first.y - (front.get(category) ?? 0)));
      if (distance < least) [best, least] = [some, distance];
    }
    for (const { id } of best) taken.add(id);
    return best;
  }

  const people: Person[] = [];
  for (const last of lastNames)
    for (const first of firstNames)
      people.push(await person(`${first} ${last}`, `${first}.${last}@example.com`.toLowerCase()));

  const sold: { who: Person; booking: Schemas['Booking'] }[] = [];
  async function buy(who: Person, decided: boolean) {
    const seats = choose(partySizes[Math.floor(random() * partySizes.length)] ?? 2);
    const patience = 1000 + 5000 * random();
    if (seats.length === 0) return;
    const booking = await hold(who, eventId, seats);
    if (!decided) return;
    await pause(patience);
    await pay(who, booking);
    sold.push({ who, booking });
  }
  const purchases: Promise<void>[] = [];
  for (const [n, who] of people.entries()) {
    purchases.push(buy(who, n % undecided > 0));
    // The organiser's chart shows when seats were sold: more and more slowly.
    await pause(300 + 22 * n);
  }
  await Promise.all(purchases);
  return sold;
}
