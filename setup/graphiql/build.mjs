/**
 * Builds static/graphiql/bundle from the packages of package-lock.json and this folder: `make graphiql`. The same in
 * makes the same out, and SHA256SUMS says of both what they were. `build.mjs FOLDER` builds elsewhere.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { build } from "esbuild";

const HERE = import.meta.dirname;
const BUNDLE = process.argv[2] ?? `${HERE}/../../static/graphiql/bundle`;

/** Modules in whose place files of this folder are taken. */
const REPLACED = [
  [/\/editor\/edcore\.main\.js$/, "editor.js"],
  [/^prettier\/(plugins\/estree|parser-babel)$/, "json_formatter.js"],
];

/** Monaco's files that write the HTML of lines, with styles: see styled_html.js. */
const WRITES_LINES = /vs\/editor\/(browser\/view(Parts)?|common\/viewLayout)\/.*\.js$/;
const WRITES_HTML = [
  [/(\S+)\.innerHTML = (\w+);/g, "setHTML($1, $2);"],
  [/(\S+)\.insertAdjacentHTML\('afterend', (\w+)\);/g, "insertAfter($1, $2);"],
];

const replaced = {
  name: "replaced",
  setup({ onResolve }) {
    for (const [filter, file] of REPLACED) onResolve({ filter }, () => ({ path: `${HERE}/${file}` }));
  },
};

const styledHTML = {
  name: "styled-html",
  setup({ onLoad }) {
    onLoad({ filter: WRITES_LINES }, async ({ path }) => {
      const source = (await readFile(path, "utf8")).replaceAll('style="', 'data-style="');
      const contents = WRITES_HTML.reduce((text, [from, to]) => text.replace(from, to), source);
      if (/innerHTML =|insertAdjacentHTML/.test(contents)) throw new Error(`${path} writes HTML in a way of its own`);
      const imports = `import { insertAfter, setHTML } from ${JSON.stringify(`${HERE}/styled_html.js`)};\n`;
      return { contents: contents === source ? source : imports + contents };
    });
  },
};

const OPTIONS = {
  absWorkingDir: HERE,
  outdir: BUNDLE,
  bundle: true,
  minify: true,
  target: "es2022",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "file" },
  assetNames: "[name]",
  legalComments: "none", // licenses() has them whole
  logLevel: "warning",
  metafile: true,
  plugins: [replaced, styledHTML],
};

/** The text of LICENSES.txt: those of all packages that something was taken from. */
function licenses(inputs) {
  const folders = inputs.map((path) => /^node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders)].filter(Boolean).sort().map(license).join("\n");
}

function license(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${HERE}/${folder}/package.json`, "utf8"));
  const file = readdirSync(`${HERE}/${folder}`).find((file) => /^licen[cs]e/i.test(file));
  const text = file ? readFileSync(`${HERE}/${folder}/${file}`, "utf8").trim() : license;
  return `${"=".repeat(80)}\n${name} ${version} (${license})\n\n${text.replaceAll("\r\n", "\n")}\n`;
}

/** Types for what imports the bundle: its packages' own are not in the repository. */
function types(names) {
  return names.map((name) => `export const ${name}: any;\n`).join("");
}

/** Lines as sha256sum writes them, with paths from the root of the repository. */
function sums(folder, path, files) {
  const sum = (file) => createHash("sha256").update(readFileSync(`${folder}/${file}`)).digest("hex");
  return files.map((file) => `${sum(file)}  ${path}/${file}\n`).join("");
}

const filesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".gz") && entry.name !== "SHA256SUMS")
    .map(({ name }) => name)
    .sort();

rmSync(BUNDLE, { recursive: true, force: true });
mkdirSync(BUNDLE, { recursive: true });
const page = await build({ ...OPTIONS, entryPoints: { graphiql: "page.js" }, format: "esm" });
const worker = await build({ ...OPTIONS, entryPoints: ["worker.js"], format: "iife" });
const module = Object.values(page.metafile.outputs).find(({ entryPoint }) => entryPoint === "page.js");
writeFileSync(`${BUNDLE}/graphiql.d.ts`, types(module.exports));
const inputs = [page, worker].flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(`${BUNDLE}/LICENSES.txt`, licenses(inputs));
writeFileSync(
  `${BUNDLE}/SHA256SUMS`,
  sums(HERE, "setup/graphiql", filesOf(HERE)) + sums(BUNDLE, "static/graphiql/bundle", filesOf(BUNDLE)),
);
