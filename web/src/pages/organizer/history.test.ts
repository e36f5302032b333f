import { expect, test } from 'vitest';
import { begin, change, redo, undo } from './history';

test('goes back and forth', () => {
  let history = change(change(begin('a'), 'b'), 'c');
  history = undo(undo(history));
  expect(history.present).toBe('a');
  expect(undo(history)).toBe(history);
  history = redo(redo(history));
  expect(history.present).toBe('c');
  expect(redo(history)).toBe(history);
});

test('a change after going back forgets what was ahead', () => {
  const history = change(undo(change(begin('a'), 'b')), 'x');
  expect(redo(history).present).toBe('x');
  expect(undo(history).present).toBe('a');
});

test('changes to the same thing are one step', () => {
  let history = change(begin(0), 1, 'rows');
  history = change(history, 2, 'rows');
  history = change(history, 9, 'seats');
  expect(undo(history).present).toBe(2);
  expect(undo(undo(history)).present).toBe(0);
});

test('after going back, a change to the same thing is a step of its own', () => {
  const history = change(undo(change(begin(0), 1, 'rows')), 2, 'rows');
  expect(undo(history).present).toBe(0);
});

test('what did not change is no step', () => {
  const history = begin('a');
  expect(change(history, 'a')).toBe(history);
});

test('a hundred steps are kept', () => {
  let history = begin(0);
  for (let n = 1; n <= 150; n++) history = change(history, n);
  for (let n = 0; n < 150; n++) history = undo(history);
  expect(history.present).toBe(50);
});
