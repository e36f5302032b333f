import { mount } from 'svelte';
import App from './App.svelte';
import { need } from './i18n/i18n.svelte';
import './styles.css';
import './theme.svelte';

await need('common', 'buyer', 'map');
mount(App, { target: document.body });
