// @ts-check
/** Tells the site's pages in other tabs who one is; on every page that shows it. */

import { find } from "../elements.js";
import { announce } from "./identity.js";

const { personId, personName } = find(document, "[data-person-id]", HTMLElement).dataset;
announce({ id: personId ?? "", name: personName ?? "" });
