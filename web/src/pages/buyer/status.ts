import type { Schemas } from '../../api/client';

/** The class of a booking's badge. */
export const badge = (status: Schemas['BookingStatus']): string =>
  ({ held: 'warn', confirmed: 'good', payment_failed: 'bad', expired: '', cancelled: '' })[status];
