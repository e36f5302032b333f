// The waiting room as its organiser sees it.
import type { Page } from '@playwright/test';
import type { Schemas } from '../src/api/client';
import { enterQueue } from './queue';
import { api, book, browse, event, expect, organizer, person, sent, test, withRole } from './world';

const figure = (page: Page, name: string) =>
  page
    .locator('dl .card')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd');

test('an organiser sees a queue live, controls it, and finds that in the audit log', async ({ browser }) => {
  const olga = await organizer();
  const shown = await event(olga, 'Rush Hour', { queue: { mode: 'always', admission_seconds: 60 } });
  const { page } = await browse(browser, olga);
  await page.goto(`/organizer/events/${shown.id}/sales`);
  await page.getByRole('link', { name: 'Waiting room' }).click();
  const status = page.getByRole('status');
  await expect(status.filter({ hasText: 'Open: people are being admitted.' })).toBeVisible();

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(status.filter({ hasText: 'Paused: nobody is admitted.' })).toBeVisible();
  await expect(page.getByText('You paused the waiting room.')).toBeVisible();

  await page.getByLabel('Number of codes').fill('1001');
  await page.getByRole('button', { name: 'Create codes' }).click();
  await expect(page.getByText('Enter a whole number from 1 to 1,000.')).toBeVisible();
  await page.getByLabel('Number of codes').fill('3');
  await page.getByLabel('People per code').fill('2');
  await page.getByRole('button', { name: 'Create codes' }).click();
  await expect(page.getByText('These 3 codes are shown only once.')).toBeVisible();
  const codes = (await page.getByLabel('New codes').inputValue()).split('\n');
  expect(new Set(codes).size).toBe(3);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download as CSV' }).click();
  const csv = await (await download).createReadStream().then((stream) => new Response(stream as never).text());
  expect(csv).toBe(['code,uses', ...codes.map((code) => `${code},2`), ''].join('\r\n'));
  await expect(page.getByText('6 more people can use a code.')).toBeVisible();

  // Whoever comes during the pause waits, and is let in after it.
  const ada = await person('Ada');
  const bob = await person('Bob');
  expect((await enterQueue(ada, shown.id)).state).toBe('waiting');
  expect(await enterQueue(bob, shown.id, codes[0])).toMatchObject({ state: 'waiting', lane: 'priority' });
  await expect(figure(page, 'Waiting').first()).toHaveText('2');
  await expect(figure(page, 'Waiting').last()).toContainText('1 with an invite code, 1 others');
  await expect(page.getByText('5 more people can use a code.')).toBeVisible();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(figure(page, 'Waiting').first()).toHaveText('0');
  await expect(figure(page, 'Called').first()).toHaveText('2');

  await page.getByLabel('Limit, people per minute').fill('30');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('At most 30 people per minute are admitted.')).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('Limit, people per minute')).toHaveValue('30');
  await expect(page.getByLabel('New codes')).toHaveCount(0);
  await page.getByLabel('Limit, people per minute').fill('');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('There is no limit.')).toBeVisible();

  // A hold needs an admission until the queue is stopped.
  const cleo = await person('Cleo');
  await expect(book(cleo, shown.id, { seat_ids: ['1-0'] })).rejects.toThrow(/403.*queue_required/);
  await expect(enterQueue(cleo, shown.id, 'AAAA-AAAA-AAAA')).rejects.toThrow(/422.*invite_code_invalid/);
  const refused = page.getByRole('row', { name: /Invite code unknown or used up/ });
  await expect(refused.getByRole('cell').last()).toHaveText('1');
  await page.getByRole('button', { name: 'Stop waiting room' }).click();
  const dialog = page.getByRole('dialog', { name: 'Stop the waiting room?' });
  await dialog.getByRole('button', { name: 'Back' }).click();
  await expect(status.filter({ hasText: 'Open: people are being admitted.' })).toBeVisible();
  await page.getByRole('button', { name: 'Stop waiting room' }).click();
  await dialog.getByRole('button', { name: 'Stop waiting room' }).click();
  await expect(status.filter({ hasText: 'You stopped the waiting room' })).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(async () => {
    await book(cleo, shown.id, { seat_ids: ['1-0'] });
  }).toPass();

  const { page: chief } = await browse(browser, await withRole(await person('Chief'), 'admin'));
  const entries = (action: string) =>
    chief.getByRole('row').filter({ hasText: olga.email }).filter({ hasText: action }).filter({ hasText: shown.id });
  await expect(async () => {
    await chief.goto('/admin/audit');
    await chief.getByLabel('Action').selectOption('Waiting room controlled');
    await expect(entries('Waiting room controlled')).toHaveCount(5, { timeout: 3_000 });
    await chief.getByLabel('Action').selectOption('Invite codes created');
    await expect(entries('Invite codes created')).toHaveCount(1, { timeout: 3_000 });
  }).toPass();
});

test('an organiser turns the waiting room on and off while the event is on sale', async ({ browser }) => {
  const olga = await organizer();
  const shown = await event(olga, 'Second Thoughts');
  const { page } = await browse(browser, olga);
  await page.goto(`/organizer/events/${shown.id}/queue`);
  await expect(page.getByText('This event has no waiting room.')).toBeVisible();
  await page.getByRole('link', { name: 'Turn it on' }).click();
  await expect(page.getByRole('radio', { name: 'Off' })).toBeChecked();
  await page.getByRole('radio', { name: 'Always' }).check();
  await page.getByLabel('Admission in minutes').fill('0');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Enter 0.25 to 60 minutes.')).toBeVisible();
  await page.getByLabel('Admission in minutes').fill('5');
  await page.getByLabel('Opens, minutes before the sale').fill('45');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  const saved = async () => (await sent<Schemas['Event']>(olga.http.get(`${api}/events/${shown.id}`))).queue;
  expect(await saved()).toEqual({ mode: 'always', opens_before_seconds: 2700, admission_seconds: 300 });
  await expect(async () => {
    await page.goto(`/organizer/events/${shown.id}/queue`);
    await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible({ timeout: 3_000 });
  }).toPass();

  await page.getByRole('link', { name: 'Details' }).click();
  await page.getByRole('radio', { name: 'Off' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
  expect((await saved()).mode).toBe('off');
});
