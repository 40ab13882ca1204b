// @ts-check
/**
 * The reader's language, as the page has it: texts by Django's catalogue for scripts, which the page loads before its
 * modules, and the locale for dates, numbers and lists. Without the catalogue, texts are in English.
 *
 * `make messages` finds texts by the names of these functions: they are called with literals.
 */

/**
 * The functions that Django's catalogue for scripts (`django.views.i18n.JavaScriptCatalog`) defines.
 *
 * @typedef {object} Catalogue
 * @property {(text: string) => string} gettext
 * @property {(singular: string, plural: string, count: number) => string} ngettext
 * @property {(context: string, text: string) => string} pgettext
 */

const catalogue = /** @type {{ django?: Catalogue }} */ (globalThis).django;

/**
 * Locales for `Intl`: those of the browser that are varieties of the page's language, else that language itself. None
 * where the page has no language, which is the browser's own choice.
 */
export const locales = localesOf(document.documentElement.lang, navigator.languages);

/**
 * @param {string} language
 * @param {readonly string[]} preferred
 * @returns {string[]}
 */
export function localesOf(language, preferred) {
  if (language === "") return [];
  return [...preferred.filter((locale) => locale.split("-")[0] === language.split("-")[0]), language];
}

/**
 * A text in the reader's language.
 *
 * @param {string} text
 */
export function gettext(text) {
  return catalogue?.gettext(text) ?? text;
}

/**
 * A text in the reader's language that depends on a number, which `fill` puts into it.
 *
 * @param {string} singular
 * @param {string} plural
 * @param {number} count
 */
export function ngettext(singular, plural, count) {
  return catalogue?.ngettext(singular, plural, count) ?? (count === 1 ? singular : plural);
}

/**
 * A text in the reader's language that has other meanings elsewhere.
 *
 * @param {string} context
 * @param {string} text
 */
export function pgettext(context, text) {
  return catalogue?.pgettext(context, text) ?? text;
}

/**
 * A text with values in the places of `%(name)s`.
 *
 * @param {string} text
 * @param {Record<string, string | number>} values numbers are written as the reader writes them
 */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(locales) : String(value);
  });
}

/**
 * A text with elements in the places of `%(name)s`, for what `append` takes.
 *
 * @param {string} text
 * @param {Record<string, Node>} elements
 * @returns {(string | Node)[]}
 */
export function fillWithElements(text, elements) {
  // The names are in the list as well, in turn with the texts between them.
  return text
    .split(/%\((\w+)\)s/)
    .map((part, index) => (index % 2 === 0 ? part : (elements[part] ?? "")))
    .filter((part) => part !== "");
}
