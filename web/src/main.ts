import { mount } from 'svelte';
import App from './App.svelte';
import { need } from './i18n/i18n.svelte';
import './styles.css';
import './theme.svelte';

// A newer version was installed while this page was open, and a part of the old one is gone. Chosen seats are kept.
const reloaded = 'frontrow-reloaded';
window.addEventListener('vite:preloadError', (event) => {
  if (Date.now() - Number(sessionStorage.getItem(reloaded)) < 10_000) return;
  sessionStorage.setItem(reloaded, String(Date.now()));
  event.preventDefault();
  location.reload();
});

await need('common', 'buyer', 'map');
mount(App, { target: document.body });
