/** The token of a mail's link. It is in the fragment, which no proxy logs and no Referer carries. */
export const mailedToken = (): string => new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

/** For `hashchange`: a link that is pasted into the same tab changes only the fragment, which loads nothing. */
export function reloadForToken(): void {
  if (mailedToken()) location.reload();
}
