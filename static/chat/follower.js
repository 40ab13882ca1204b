const NEAR_END = 48;

/** Keeps a scroller at its end while the reader is there, and offers the way back to one who is not. */
export class Follower {
  #scroller;
  #button;
  #following = true;

  /** The scroller has one child, which grows; the button leads to the end. */
  constructor(scroller, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => {
      if (this.#following) this.toEnd();
    });
    sizes.observe(scroller);
    sizes.observe(scroller.firstElementChild);
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#following = true;
    this.#button.hidden = true;
  }

  /** Something new stands at the end. */
  announce() {
    this.#button.hidden = this.#following;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#following) this.#button.hidden = true;
  }
}
