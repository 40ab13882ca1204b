// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { formattedText } from "../../../../static/chat/log/formatted-text.js";

/** @param {string} html */
const shown = (html) => formattedText(html).innerHTML;

for (const html of [
  "<p>a<br><strong>b <em>c</em></strong> <s>d</s> <code>e</code></p>",
  "<blockquote><p>a</p></blockquote><ul><li>b</li></ul>",
  '<ol start="3"><li>a &lt;b&gt;</li></ol>',
]) {
  test(`formatted text has the elements of ${html}`, () => {
    assert.equal(shown(html), html);
  });
}

test("formatted text is one element whose direction follows its text", () => {
  const { className, dir, tagName } = formattedText("<p>a</p>");
  assert.deepEqual([className, dir, tagName], ["text formatted", "auto", "DIV"]);
});

test("code block can have the focus, and has no class", () => {
  const block = formattedText('<pre><code class="language-python">x = 1\n</code></pre>').querySelector("pre");
  assert.equal(block?.tabIndex, 0);
  assert.equal(block?.innerHTML, "<code>x = 1\n</code>");
});

test("link opens another tab, which learns nothing of this one", () => {
  const link = formattedText('<p><a href="https://a.example/b">b</a></p>').querySelector("a");
  assert.equal(link?.getAttribute("href"), "https://a.example/b");
  assert.equal(link?.target, "_blank");
  assert.equal(link?.rel, "noopener noreferrer nofollow");
});

for (const [html, left] of [
  ["<script>alert(1)</script>", ""],
  ["<p onclick='alert(1)' id='chat-log' class='own' style='color: red'>a</p>", "<p>a</p>"],
  ["<p><img src=x onerror=alert(1)>a</p>", "<p>a</p>"],
  ["<p><b>a</b> <h1>b</h1></p>", "<p>a </p>b"],
  ["<a href='javascript:alert(1)'>a</a>", "a"],
  ["<a href='/accounts/logout/'>a</a>", "a"],
  ["<a href=' java\nscript:alert(1)'>a</a>", "a"],
  ["<a>a</a>", "a"],
  ["<svg><a href='https://a.example'>b</a></svg>", ""],
  ["<form action=/x><input name=y><button>a</button></form>", "a"],
  ["<iframe srcdoc='<script>alert(1)</script>'></iframe>", ""],
  ["<chat-log>a</chat-log>", "a"],
]) {
  test(`formatted text leaves out what messages can't have: ${html}`, () => {
    const text = shown(/** @type {string} */ (html)).replace("alert(1)", "");
    assert.equal(text, left);
  });
}

for (const [html, remade] of [
  [
    '<p><a class="mention" data-person="user-7" href="/people/id/user-7/" target="_blank" rel="nofollow">@ann</a></p>',
    '<p><a class="mention" href="/people/id/user-7/">@ann</a></p>',
  ],
  ['<span class="mention" data-person="guest-1">@Otter</span>', '<span class="mention">@Otter</span>'],
  ['<span class="mention" data-person="room">@room</span>', '<span class="mention me">@room</span>'],
  [
    '<a class="mention" data-person="user-8" href="/people/id/user-8/">@me</a>',
    '<a class="mention me" href="/people/id/user-8/">@me</a>',
  ],
  ['<a class="mention" data-person="user-7/../x" href="/logout">a</a>', '<span class="mention">a</span>'],
  ['<a class="mention" href="https://a.example">a</a>', '<span class="mention">a</span>'],
  ['<span class="own">a</span>', "a"],
]) {
  test(`what calls somebody leads to nothing but a profile: ${html}`, () => {
    assert.equal(formattedText(/** @type {string} */ (html), "user-8").innerHTML, remade);
  });
}
