// Opens the page.

import { App } from "./app.js";
import { openStore } from "./store.js";

try {
  const app = new App(await openStore());
  globalThis.nucleate = app; // for the console, and for tests
  await app.start();
} catch (error) {
  document.getElementById("app").innerHTML = '<p class="opening" role="alert">The map could not be opened. A browser of the last three years can.</p>';
  throw error;
}
