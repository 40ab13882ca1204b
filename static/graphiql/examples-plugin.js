// @ts-check
/** A panel of GraphiQL's with the examples: a click leads to the tab that has it as it is, or puts it into a new one. */

import { React, useGraphiQL, useGraphiQLActions } from "./bundle/graphiql.js";

/** @import { Example, Group } from "./examples.js" */

const { createElement: h } = React;

/** @param {Group[]} groups */
export function examplesPlugin(groups) {
  return { title: "Examples", icon: Icon, content: () => h(Examples, { groups }) };
}

function Icon() {
  const stroke = {
    fill: "none",
    stroke: "currentColor",
    strokeWidth: 1.5,
    strokeLinecap: "round",
    strokeLinejoin: "round",
  };
  return h(
    "svg",
    { viewBox: "0 0 20 20", width: "1em", height: "1em", "aria-hidden": true, ...stroke },
    h("path", { d: "M10 2.5a5 5 0 0 0-3 9c.6.5 1 1.2 1 2h4c0-.8.4-1.5 1-2a5 5 0 0 0-3-9ZM8 16h4M9 18h2" }),
  );
}

/** @param {{ groups: Group[] }} properties */
function Examples({ groups }) {
  const { addTab, changeTab } = useGraphiQLActions();
  const { queryEditor, tabs, activeTabIndex } = useGraphiQL((/** @type {any} */ state) => ({
    queryEditor: state.queryEditor,
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
  }));
  /** @param {Example} example */
  const open = ({ query }) => {
    const queries = tabs.map((/** @type {any} */ tab) => tab.query);
    queries[activeTabIndex] = queryEditor.getValue(); // GraphiQL notes what is typed a moment later
    if (queries.includes(query)) {
      changeTab(queries.indexOf(query));
    } else {
      addTab();
      queryEditor.setValue(query);
    }
    queryEditor.focus();
  };
  return h(
    "section",
    { className: "examples", "aria-label": "Examples" },
    h("h2", { className: "examples-title" }, "Examples"),
    groups.map(({ title, examples }) =>
      h(
        "section",
        { key: title },
        h("h3", null, title),
        h(
          "ul",
          null,
          examples.map((example) =>
            h(
              "li",
              { key: example.title },
              h(
                "button",
                { type: "button", className: "graphiql-un-styled", onClick: () => open(example) },
                example.title,
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
