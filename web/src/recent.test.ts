import { expect, test, vi } from 'vitest';
import { Refusal } from './api/client';
import { asking, close, recently } from './recent.svelte';

const needsPassword = new Refusal('reauthentication_required', 403);

test('an action runs again after the password was entered', async () => {
  const action = vi.fn<() => Promise<string>>().mockRejectedValueOnce(needsPassword).mockResolvedValue('done');
  const result = recently(action);
  await vi.waitUntil(asking);
  close(true);
  await expect(result).resolves.toBe('done');
  expect(asking()).toBe(false);
  expect(action).toHaveBeenCalledTimes(2);
});

test('whoever closes the dialog gets the refusal, and the action does not run again', async () => {
  const action = vi.fn<() => Promise<string>>().mockRejectedValue(needsPassword);
  const result = recently(action);
  await vi.waitUntil(asking);
  close(false);
  await expect(result).rejects.toBe(needsPassword);
  expect(action).toHaveBeenCalledTimes(1);
});

test('other refusals ask for nothing', async () => {
  const refusal = new Refusal('forbidden', 403);
  await expect(recently(() => Promise.reject(refusal))).rejects.toBe(refusal);
  expect(asking()).toBe(false);
});
