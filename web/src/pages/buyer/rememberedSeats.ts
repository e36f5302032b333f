// The seats a buyer has chosen and not yet held, kept in this tab while they log in or reload the page.
const name = (eventId: string) => `frontrow-choice-${eventId}`;

export function remembered(eventId: string): string[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(name(eventId)) ?? '[]');
    return Array.isArray(stored) ? stored.filter((id): id is string => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

export function remember(eventId: string, seatIds: string[]): void {
  if (seatIds.length > 0) sessionStorage.setItem(name(eventId), JSON.stringify(seatIds));
  else sessionStorage.removeItem(name(eventId));
}
