/** The token of a mail's link. It is in the fragment, which no proxy logs and no Referer carries. */
export const mailedToken = (): string => new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
