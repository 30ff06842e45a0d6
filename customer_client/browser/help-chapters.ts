/** Chapters of an article's video jump within the page; without this script their links load it anew at that time. */

const video = document.querySelector<HTMLVideoElement>("#video video");
const links = [...document.querySelectorAll<HTMLAnchorElement>(".chapters a[data-seconds]")];

const secondsOf = (link: HTMLAnchorElement): number => Number(link.dataset.seconds);

function mark(now: number): void {
  const current = links.findLast((link) => secondsOf(link) <= now + 0.25);
  for (const link of links) {
    if (link === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

if (video !== null) {
  video.addEventListener("timeupdate", () => mark(video.currentTime));
  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      video.currentTime = secondsOf(link);
      mark(video.currentTime);
      // The browser may refuse to play before the reader has touched the video; it then stands at the right place.
      video.play().catch(() => undefined);
      video.scrollIntoView({ block: "nearest" });
    });
  }
}

export {};
