const NEAR_END = 48;
const NEAR_START = 400;

/** Keeps a scroller at its end while the reader is there, and offers the way back to one who is not. */
export class Follower {
  /** Whether the reader is at the end. */
  following = true;
  /** Called as the reader comes near the start. */
  atStart = () => {};

  #scroller;
  #button;

  /** The scroller has one child, which grows; the button leads to the end. */
  constructor(scroller, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => {
      if (this.following) this.toEnd();
    });
    sizes.observe(scroller);
    sizes.observe(scroller.firstElementChild);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.following = true;
    this.#button.hidden = true;
  }

  /** Something new stands at the end. */
  announce() {
    this.#button.hidden = this.following;
  }

  /** Let `change` put something before what the reader sees, which stays where it is. */
  keepPlace(change) {
    const end = () => this.#scroller.firstElementChild.getBoundingClientRect().bottom;
    const before = end();
    change();
    this.#scroller.scrollTop += end() - before;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.following) this.#button.hidden = true;
    if (scrollTop < NEAR_START) this.atStart();
  }
}
