// @ts-check
/** On the page of the rooms: says that what another app shares waits for a room. */

import { find } from "../elements.js";
import { registerServiceWorker } from "../service-worker-registration.js";
import { forget, waiting } from "./shared.js";

const notice = find(document, "#shared-notice", HTMLElement);

const shared = await waiting();
if (shared) {
  find(notice, ".shared-about", HTMLElement).textContent = [shared.text, ...shared.names].filter(Boolean).join(" · ");
  find(notice, "button", HTMLButtonElement).addEventListener("click", async () => {
    await forget();
    notice.hidden = true;
  });
  notice.hidden = false;
}
registerServiceWorker();
