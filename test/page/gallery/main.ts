/** The components by themselves, each under an address of its own, for tests to use and people to look at. */
import '../../../renderer/styles/tokens.css';
import '../../../renderer/styles/base.css';
import '../../../renderer/styles/popups.css';
import { mount } from 'svelte';
import { events } from '../../../renderer/lib/events.svelte.ts';
import Gallery from './Gallery.svelte';

const target = document.querySelector('#app');
if (target === null) throw new Error('index.html has no #app');
await events.start();
mount(Gallery, { target });
