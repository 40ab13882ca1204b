/**
 * Where a message is written. Enter sends, Shift + Enter starts a new line.
 *
 * `post(text)` is called with each text that is neither blank nor too long; it returns what is wrong, in words, or ""
 * once it has taken the text.
 */
export class Composer {
  #input;
  #error;
  #messageMax;
  #post;

  constructor(form, messageMax, post) {
    this.#input = form.querySelector("textarea");
    this.#error = form.querySelector("[role=alert]");
    this.#messageMax = messageMax;
    this.#post = post;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("input", () => {
      this.showError("");
      this.#fit();
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.#submit();
    });
    this.#fit();
    this.focus();
  }

  focus() {
    this.#input.focus();
  }

  showError(text) {
    this.#error.textContent = text;
    this.#input.setAttribute("aria-invalid", String(text !== ""));
  }

  /** Put a text back that was not taken, before what is being written. */
  restore(text) {
    this.#write(this.#input.value === "" ? text : `${text}\n${this.#input.value}`);
  }

  #submit() {
    const text = this.#input.value;
    this.focus();
    if (text.trim() === "") return;
    const fault = this.#tooLong(text) || this.#post(text);
    if (fault === "") this.#write("");
    this.showError(fault);
  }

  #tooLong(text) {
    // The server counts code points, a string's length counts UTF-16 units.
    const length = [...text].length;
    if (length <= this.#messageMax) return "";
    return `Too long to send: ${length.toLocaleString()} of ${this.#messageMax.toLocaleString()} characters.`;
  }

  #write(text) {
    this.#input.value = text;
    this.#fit();
  }

  #fit() {
    this.#input.style.height = "auto";
    const border = this.#input.offsetHeight - this.#input.clientHeight;
    this.#input.style.height = `${this.#input.scrollHeight + border}px`;
  }
}

/** Whether a key belongs to an input method; Safari says so only by the key code. */
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
