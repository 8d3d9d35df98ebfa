/** Starts the page. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/popups.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { events } from './lib/events.svelte.ts';

const target = document.querySelector('#app');
if (target === null) throw new Error('index.html has no #app');
await events.start();
mount(App, { target });
