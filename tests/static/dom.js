// @ts-check
/** A browser's globals for the tests of the pages' modules: import it first. Its time is node:test's. */

import { GlobalRegistrator } from "@happy-dom/global-registrator";

GlobalRegistrator.register({ url: "http://localhost/chat/room1/" });
