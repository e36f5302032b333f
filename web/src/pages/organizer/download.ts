/** Saves a file; a link of its own can't ask for it. */
export function download(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The name of a CSV file about an event. */
export const csvName = (what: string, event: string): string => `${what}-${event.replace(/[^\p{L}\p{N}]+/gu, '-')}.csv`;
