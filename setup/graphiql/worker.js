/** Monaco's three workers in one file, which have most of their code in common. */
switch (self.name) {
  case "json":
    require("monaco-editor/esm/vs/language/json/json.worker.js");
    break;
  case "graphql":
    require("monaco-graphql/esm/graphql.worker.js");
    break;
  default:
    require("monaco-editor/esm/vs/editor/editor.worker.js");
}
