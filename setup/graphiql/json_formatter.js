/** A plugin of Prettier's that formats variables and headers, JSON with comments, without its parser of JavaScript. */
import { applyEdits, format } from "jsonc-parser";

const OPTIONS = { insertSpaces: true, tabSize: 2, insertFinalNewline: true };

export const parsers = {
  jsonc: {
    astFormat: "jsonc-text",
    parse: (text) => ({ text }),
    locStart: () => 0,
    locEnd: ({ text }) => text.length,
  },
};

export const printers = {
  "jsonc-text": { print: ({ node: { text } }) => applyEdits(text, format(text, undefined, OPTIONS)) },
};
