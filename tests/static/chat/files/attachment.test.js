// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, isWordless, kindOf, readAttachments, sizeWords } from "../../../../static/chat/files/attachment.js";
import { fitted } from "../../../../static/chat/files/attachment-list.js";
import { taken } from "./requests.js";

const PREVIEW = { url: "/chat/room1/files/1/preview", width: 30, height: 20 };

test("attachments of a frame are read, and what is none is left out", () => {
  for (const nothing of [undefined, null, "x", 3, {}, [null], [3], [{}], [{ ...taken("a"), id: 3 }]]) {
    assert.deepEqual(readAttachments(nothing), []);
  }
  assert.deepEqual(readAttachments([taken("a"), null]), [taken("a")]);
  assert.deepEqual(readAttachments([{ ...taken("a"), preview: { url: "/x", width: 0, height: 4 } }]), [taken("a")]);
  assert.deepEqual(readAttachments([{ ...taken("a"), preview: PREVIEW }])[0]?.preview, PREVIEW);
});

test("address that leads elsewhere is no attachment's", () => {
  for (const url of ["javascript:alert(1)", "https://evil.example/a", "//evil.example/a", "/\\evil.example", "a", ""]) {
    assert.deepEqual(readAttachments([{ ...taken("a"), url }]), [], url);
    assert.equal(readAttachments([{ ...taken("a"), preview: { ...PREVIEW, url } }])[0]?.preview, null, url);
  }
});

test("message whose text is its files' names says nothing itself", () => {
  const attachments = [taken("a.txt"), taken("b.txt")];
  assert.ok(isWordless({ text: "a.txt\nb.txt", attachments }));
  assert.ok(isWordless({ text: "", attachments }));
  assert.ok(!isWordless({ text: "a.txt", attachments }));
  assert.ok(!isWordless({ text: "", attachments: [] }));
});

test("kind of a file is what its type and preview say", () => {
  const kinds = ["image/png", "audio/ogg", "video/mp4", "application/octet-stream", "text/html"].map((type) =>
    kindOf({ ...taken("a"), type }),
  );
  assert.deepEqual(kinds, ["file", "audio", "video", "file", "file"]);
  assert.equal(kindOf({ ...taken("a"), type: "image/png", preview: PREVIEW }), "picture");
});

test("size is written for people", () => {
  assert.deepEqual([0, 999, 1_000, 1_250_000, 25_000_000, 3e12].map(sizeWords), [
    "0 bytes",
    "999 bytes",
    "1 kB",
    "1.3 MB",
    "25 MB",
    "3,000 GB",
  ]);
  assert.equal(factsOf({ name: "a.b.Pdf", size: 1 }), "PDF, 1 byte");
  assert.equal(factsOf({ name: "README", size: 1 }), "File, 1 byte");
});

test("picture fits where it is to stand, and is not made larger", () => {
  assert.deepEqual(fitted({ width: 20, height: 10 }), { width: 20, height: 10 });
  assert.deepEqual(fitted({ width: 720, height: 360 }), { width: 360, height: 180 });
  assert.deepEqual(fitted({ width: 100, height: 3000 }), { width: 10, height: 300 });
  assert.deepEqual(fitted({ width: 1, height: 9000 }), { width: 1, height: 300 });
});
