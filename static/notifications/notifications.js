// @ts-check
/** The page on which people choose how they are notified. */

import { PushSwitch } from "../chat/push/push-switch.js";

customElements.define("push-switch", PushSwitch);
