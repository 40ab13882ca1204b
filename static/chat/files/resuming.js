// @ts-check

const RESUME_INTERVAL = 10_000; // milliseconds from one attempt to the next: what fails sooner fails for other reasons

/**
 * Have a sound or a film go on where its connection was lost. Where files are at S3, the address to which the site leads
 * is good for a minute, and the browser uses it for all later parts: it has to ask the site for another one.
 *
 * @param {HTMLMediaElement} media
 */
export function resumeWhenInterrupted(media) {
  let lastAttempt = Number.NEGATIVE_INFINITY;
  media.addEventListener("error", () => {
    const { currentTime, paused, error } = media;
    const now = performance.now();
    if (error?.code !== MediaError.MEDIA_ERR_NETWORK || now - lastAttempt < RESUME_INTERVAL) return;
    lastAttempt = now;
    const resume = () => {
      media.currentTime = currentTime;
      if (!paused) media.play().catch(() => {}); // the browser may want a press first
    };
    media.addEventListener("loadedmetadata", resume, { once: true });
    media.load();
  });
}
