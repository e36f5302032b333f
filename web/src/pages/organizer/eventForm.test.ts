import { describe, expect, test } from 'vitest';
import type { Event } from '../../api/client';
import { bodyOf, chooseVenue, emptyForm, formOf, patchOf } from './eventForm';

const venue = {
  id: 'venue',
  name: 'Hall',
  city: 'Vienna',
  time_zone: 'Europe/Vienna',
  categories: [
    { id: 'front', name: 'Front' },
    { id: 'back', name: 'Back' },
  ],
};
const event: Event = {
  id: 'event',
  name: 'Late Night Trio',
  description: 'Three sets.',
  venue,
  starts_at: '2027-03-01T19:00:30Z',
  ends_at: '2027-03-01T22:00:00Z',
  time_zone: 'Europe/Vienna',
  currency: 'EUR',
  ticket_types: [
    { id: 'type-back', name: 'Rear', category: 'back', kind: 'seated', price: { amount: 4550, currency: 'EUR' } },
  ],
  sale_starts_at: '2026-11-01T00:00:00Z',
  sale_ends_at: '2027-03-01T18:00:00Z',
  max_seats_per_buyer: 8,
  hold_seconds: 90,
  queue: { mode: 'automatic', opens_before_seconds: 930, admission_seconds: 600 },
  status: 'draft',
  version: 1,
  organizer_id: 'organizer',
  created_at: '2026-10-01T00:00:00Z',
  updated_at: '2026-10-01T00:00:00Z',
};
const form = () => formOf(event, venue.categories, ',');

describe('the form of an event', () => {
  test('has the times of the place and a line a category', () => {
    expect(form()).toMatchObject({ startsAt: '2027-03-01T20:00', saleStartsAt: '2026-11-01T01:00', holdMinutes: 1.5 });
    expect(form()).toMatchObject({ queueMode: 'automatic', queueOpensMinutes: 15.5, admissionMinutes: 10 });
    expect(form().types).toEqual([
      { category: 'back', id: 'type-back', sold: true, name: 'Rear', price: '45,50' },
      { category: 'front', sold: false, name: 'Front', price: '' },
    ]);
  });

  test('left as it is changes nothing, not even the seconds that it does not show', () =>
    expect(patchOf(form(), form())).toEqual({}));

  test('sends what was changed', () => {
    const after = { ...form(), name: 'Later Night Trio', startsAt: '2027-03-01T21:00', holdMinutes: 2 };
    expect(patchOf(form(), after)).toEqual({
      name: 'Later Night Trio',
      starts_at: '2027-03-01T20:00:00.000Z',
      hold_seconds: 120,
    });
  });

  test('sends the settings of the queue as a whole, and no durations without one', () => {
    expect(patchOf(form(), { ...form(), queueMode: 'always', admissionMinutes: 5 })).toEqual({
      queue: { mode: 'always', opens_before_seconds: 930, admission_seconds: 300 },
    });
    const off = { ...form(), queueMode: 'off', admissionMinutes: null } as const;
    expect(bodyOf(off).wrong).toEqual([]);
    expect(patchOf(form(), off)).toEqual({ queue: { mode: 'off' } });
  });

  test('keeps the ids of its ticket types', () => {
    const after = form();
    after.types = after.types.map((type) => ({ ...type, sold: true, price: '60' }));
    expect(patchOf(form(), after)).toEqual({
      ticket_types: [
        { id: 'type-back', name: 'Rear', category: 'back', price: 6000 },
        { name: 'Front', category: 'front', price: 6000 },
      ],
    });
  });
});

describe('a new event', () => {
  test('says what is missing, ticket types by their place in what is sent', () => {
    const empty = emptyForm();
    chooseVenue(empty, venue);
    empty.types = empty.types.map((type, i) => ({ ...type, sold: i === 1, price: '1,2,3' }));
    expect(bodyOf(empty).wrong.map(({ field, code }) => `${field} ${code}`)).toEqual([
      'name required',
      'starts_at required',
      'ends_at required',
      'ticket_types[0].price invalid',
      'sale_starts_at required',
      'sale_ends_at required',
    ]);
  });

  test('has the time zone and the categories of its venue', () => {
    const chosen = emptyForm();
    chooseVenue(chosen, venue);
    Object.assign(chosen, {
      name: ' Trio ',
      startsAt: '2027-07-01T19:30',
      endsAt: '2027-07-01T22:00',
      saleStartsAt: '2027-01-01T00:00',
      saleEndsAt: '2027-07-01T19:00',
    });
    chosen.types = chosen.types.map((type) => ({ ...type, price: '9.99' }));
    expect(bodyOf(chosen)).toEqual({
      wrong: [],
      body: {
        name: 'Trio',
        description: '',
        venue_id: 'venue',
        time_zone: 'Europe/Vienna',
        starts_at: '2027-07-01T17:30:00.000Z',
        ends_at: '2027-07-01T20:00:00.000Z',
        currency: 'EUR',
        ticket_types: [
          { name: 'Front', category: 'front', price: 999 },
          { name: 'Back', category: 'back', price: 999 },
        ],
        sale_starts_at: '2026-12-31T23:00:00.000Z',
        sale_ends_at: '2027-07-01T17:00:00.000Z',
        max_seats_per_buyer: 8,
        hold_seconds: 600,
        queue: { mode: 'off' },
      },
    });
  });

  test.each([
    [0.9, 10],
    [1441, 10],
    [null, 10],
    [30, 0.2],
    [30, 61],
    [30, null],
  ])('a queue that opens %s minutes before, with admissions of %s minutes, is refused', (opens, admission) => {
    const queue = { queueMode: 'always', queueOpensMinutes: opens, admissionMinutes: admission } as const;
    const fields = bodyOf({ ...emptyForm(), ...queue }).wrong.filter(({ field }) => field.startsWith('queue.'));
    expect(fields.map(({ code }) => code)).toEqual(['out_of_range']);
  });

  test.each([
    [null, 10],
    [0, 10],
    [51, 10],
    [8, 0.05],
    [8, 61],
    [8, null],
  ])('%s seats and %s minutes are refused', (maxSeats, holdMinutes) => {
    const fields = bodyOf({ ...emptyForm(), maxSeats, holdMinutes }).wrong.filter(
      ({ code }) => code === 'out_of_range',
    );
    expect(fields).toHaveLength(1);
  });
});
