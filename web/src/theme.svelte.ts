// Light, dark, or what the system says.
export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const stored = 'frontrow-theme';
const state = $state<{ theme: Theme; dark: boolean }>({ theme: initial(), dark: false });
const system = matchMedia('(prefers-color-scheme: dark)');

function initial(): Theme {
  const wish = localStorage.getItem(stored);
  return themes.find((theme) => theme === wish) ?? 'auto';
}

function apply(): void {
  state.dark = state.theme === 'dark' || (state.theme === 'auto' && system.matches);
  document.documentElement.dataset.theme = state.dark ? 'dark' : 'light';
}
system.addEventListener('change', apply);
apply();

export const theme = (): Theme => state.theme;
/** For what is drawn without CSS. */
export const dark = (): boolean => state.dark;

export function setTheme(next: Theme): void {
  state.theme = next;
  localStorage.setItem(stored, next);
  apply();
}
