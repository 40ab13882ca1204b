// @ts-check
/** The results of the subscription of the tab in front, in the place of GraphiQL's response. */

import { React, useGraphiQLActions, useMonaco } from "./bundle/graphiql.js";
import { KEPT } from "./subscription.js";

/** @import { Running } from "./running.js" */
/** @import { Line, Subscription } from "./subscription.js" */

const { createElement: h, useEffect, useMemo, useReducer, useState } = React;

const PAUSED = "Paused: too many tabs of this site are open for this connection";
const STATES = { connecting: "Connecting …", open: "Connected", reconnecting: "Reconnecting …", ended: "Ended" };
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** @param {{ running: Running }} properties */
export function Results({ running }) {
  const [, draw] = useReducer((/** @type {number} */ times) => times + 1, 0);
  useEffect(() => {
    running.addEventListener("change", draw);
    return () => running.removeEventListener("change", draw);
  }, [running]);
  const { current, others } = running;
  return h(
    "div",
    { className: "subscription", hidden: !current && others.length === 0 },
    others.length > 0 && h(Others, { running }),
    current && h(Status, { subscription: current }),
    current && h(Lines, { lines: current.lines }),
  );
}

/** @param {{ subscription: Subscription }} properties */
function Status({ subscription }) {
  const { state, via, count, isPaused } = subscription;
  const way = state === "open" && via !== "WebSocket" ? `, by ${via}` : "";
  const shown =
    count > KEPT ? `${count} results, the last ${KEPT} are kept` : `${count} ${count === 1 ? "result" : "results"}`;
  return h(
    "div",
    { className: "subscription-status" },
    h(
      "span",
      { role: "status", id: "graphiql-status", "data-state": state },
      isPaused ? PAUSED : `${STATES[state]}${way}`,
    ),
    h("span", { className: "subscription-count" }, shown),
    h("button", { type: "button", className: "graphiql-un-styled", onClick: () => subscription.clear() }, "Clear"),
  );
}

/** @param {{ running: Running }} properties */
function Others({ running }) {
  const { changeTab } = useGraphiQLActions();
  const { tabs } = running.tabs;
  return h(
    "p",
    { className: "subscription-others" },
    "Also running: ",
    running.others.map((tab) =>
      h(
        "button",
        { key: tab.id, type: "button", className: "graphiql-un-styled", onClick: () => changeTab(tabs.indexOf(tab)) },
        tab.title,
      ),
    ),
  );
}

/** @param {{ lines: Line[] }} properties */
function Lines({ lines }) {
  return h(
    "div",
    { className: "subscription-results", role: "log", "aria-label": "Results, the newest first", tabIndex: 0 },
    h(
      "ol",
      null,
      lines.map((line) => h(One, { key: line.key, line })),
    ),
  );
}

const One = React.memo(
  /** @param {{ line: Line }} properties */
  function One({ line }) {
    return h(
      "li",
      { className: line.note ? "subscription-note" : "" },
      h("time", { dateTime: line.at.toISOString() }, TIME.format(line.at)),
      line.note ? h("p", null, line.note) : h(Json, { value: line.result }),
    );
  },
);

/** @param {{ value: unknown }} properties */
function Json({ value }) {
  const monaco = useMonaco((/** @type {any} */ { monaco }) => monaco);
  const text = useMemo(() => JSON.stringify(value, null, 2), [value]);
  const [colored, setColored] = useState("");
  useEffect(() => {
    let current = true;
    monaco?.editor.colorize(text, "json", {}).then((/** @type {string} */ html) => {
      if (current) setColored(html.replaceAll(/\u00a0|&#160;|&nbsp;/g, " ")); // so that copies have spaces
    });
    return () => {
      current = false;
    };
  }, [monaco, text]);
  return colored ? h("pre", { dangerouslySetInnerHTML: { __html: colored } }) : h("pre", null, text);
}
