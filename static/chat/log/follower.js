// @ts-check

import { gettext } from "../translation.js";

const NEAR_END = 24; // px from the end at which the reader still counts as being there
const NEAR_EDGE = 400; // px from the start at which what is older is wanted, and from the end what is newer
const AT_REST = 150; // ms without movement after which the reader's scrolling is over
const OVERLAP = 40; // px that a page has in common with the next
const KEYS_UP = new Set(["ArrowUp", "PageUp", "Home"]);

/**
 * Keeps a scroller at its end while the reader is there, and offers the way back to one who is not.
 *
 * In each frame the browser reports sizes first: whatever has grown or shrunk, the scroller is put back to its end. Then
 * it reports what can be seen. So an end that is out of view then has been left by the reader, by whatever means. Scroll
 * events can't tell that: they come late, when more may stand at the end.
 *
 * A reader who is scrolling up is not pulled back until the scrolling has come to rest.
 */
export class Follower {
  /** Whether the reader is at the end. */
  following = true;
  /** Called as the reader comes near the start. */
  atStart = () => {};
  /** Called when the end is in view. */
  atEnd = () => {};
  /** Called as the reader comes near the end of something that isn't live. */
  nearEnd = () => {};
  /** Called when the reader wants to be at the end. */
  wantsEnd = () => this.toEnd();

  #scroller;
  #button;
  #ends;
  #endInView = true;
  #live = true;
  #news;
  /** Whether the reader is scrolling up, or has just made something grow. */
  #held = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rest;
  #touchedAt = 0;

  /**
   * @param {HTMLElement} scroller its first child holds all that is in it, and grows
   * @param {HTMLElement} end the last thing in the scroller
   * @param {HTMLElement} button leads to the end
   */
  constructor(scroller, end, button) {
    this.#scroller = scroller;
    this.#button = button;
    const sizes = new ResizeObserver(() => {
      this.#see(this.#ends.takeRecords());
      if (this.following && !this.#held) this.#scrollToEnd();
    });
    sizes.observe(scroller);
    if (scroller.firstElementChild) sizes.observe(scroller.firstElementChild);
    this.#ends = new IntersectionObserver((entries) => this.#see(entries), {
      root: scroller,
      rootMargin: `0px 0px ${NEAR_END}px 0px`,
    });
    this.#ends.observe(end);
    this.#news = button.textContent;
    button.addEventListener("click", () => this.wantsEnd());
    this.#watchReader();
  }

  toEnd() {
    this.#ends.takeRecords(); // what they report is over
    this.#release();
    this.#endInView = true;
    this.following = this.#button.hidden = this.#live;
    this.#scrollToEnd();
  }

  /**
   * Whether the newest is at the end. If not, the way to it is always offered.
   *
   * @param {boolean} live
   */
  set live(live) {
    this.#live = live;
    this.#button.textContent = live ? this.#news : gettext("To the newest ↓");
    this.#settle();
  }

  /** Something other than the end is to be seen. */
  leaveEnd() {
    this.#ends.takeRecords(); // what they report is over
    this.#release();
    this.following = this.#endInView = false;
  }

  /**
   * Show the reader something before the end, with a part of what is before that.
   *
   * @param {Element} line
   */
  toLine(line) {
    this.leaveEnd();
    const below = line.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    this.#scroller.scrollTop += below - this.#scroller.clientHeight / 4;
    this.announce();
  }

  /** Something new stands at the end, or would if that were live. */
  announce() {
    this.#see(this.#ends.takeRecords());
    this.#button.textContent = this.#news;
    this.#button.hidden = this.following && !this.#held;
  }

  /** The reader is making something grow, and wants to see it from where it begins. */
  hold() {
    this.#held = true;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#release();
      this.#settle();
    }, AT_REST);
  }

  /**
   * Let `change` put something before what the reader sees, which stays where it is.
   *
   * @param {() => void} change
   */
  keepPlace(change) {
    const end = () => this.#scroller.firstElementChild?.getBoundingClientRect().bottom ?? 0;
    const before = end();
    change();
    this.#scroller.scrollTop += end() - before;
  }

  /**
   * PageUp and PageDown that are pressed in `element` scroll the conversation.
   *
   * @param {HTMLElement} element
   */
  takePageKeys(element) {
    element.addEventListener("keydown", (event) => {
      const direction = { PageUp: -1, PageDown: 1 }[event.key];
      if (!direction || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (direction < 0) this.#holdIfScrollable();
      this.#scroller.scrollTop += direction * Math.max(OVERLAP, this.#scroller.clientHeight - OVERLAP);
    });
  }

  #watchReader() {
    const passive = { passive: true };
    const up = () => this.#holdIfScrollable();
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), passive);
    this.#scroller.addEventListener("wheel", (event) => event.deltaY < 0 && !event.ctrlKey && up(), passive);
    this.#scroller.addEventListener("keydown", (event) => {
      if (KEYS_UP.has(event.key) || (event.key === " " && event.shiftKey)) up();
    });
    this.#scroller.addEventListener("pointerdown", (event) => {
      if (event.target === this.#scroller && event.offsetX >= this.#scroller.clientWidth) up(); // by the scroll bar
    });
    this.#scroller.addEventListener("touchstart", (event) => this.#touch(event), passive);
    this.#scroller.addEventListener("touchmove", (event) => this.#touch(event) > 0 && up(), passive);
  }

  /**
   * How far the finger has gone down since it was last seen, in px.
   *
   * @param {TouchEvent} event
   */
  #touch({ type, touches }) {
    const before = this.#touchedAt;
    this.#touchedAt = touches[0]?.clientY ?? 0;
    return type === "touchmove" ? this.#touchedAt - before : 0;
  }

  #scrolled() {
    if (this.#held) this.hold();
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (scrollTop < NEAR_EDGE) this.atStart();
    if (!this.#live && scrollHeight - scrollTop - clientHeight < NEAR_EDGE) this.nearEnd();
  }

  #holdIfScrollable() {
    if (this.#scroller.scrollTop > 0) this.hold();
  }

  #release() {
    this.#held = false;
    clearTimeout(this.#rest);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #see(entries) {
    this.#endInView = entries.at(-1)?.isIntersecting ?? this.#endInView;
    if (!this.#held) this.#settle();
  }

  #settle() {
    this.following = this.#endInView && this.#live;
    if (!this.#live) this.#button.hidden = false;
    if (!this.following) return;
    this.#button.hidden = true;
    this.atEnd();
  }

  #scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
