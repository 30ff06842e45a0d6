// A small window that stays on top of the others: Document Picture-in-Picture, where the browser has it.

interface DocumentPictureInPicture {
  requestWindow(options: { width: number; height: number }): Promise<Window>;
}

declare global {
  interface Window {
    documentPictureInPicture?: DocumentPictureInPicture;
  }
}

export function canFloat(): boolean {
  return window.documentPictureInPicture !== undefined;
}

/** Puts `content` into a window of its own; `closed` is told when it is gone, and takes `content` back. */
export async function float(content: HTMLElement, title: string, closed: () => void): Promise<Window | null> {
  const opened = await window.documentPictureInPicture?.requestWindow({ width: 480, height: 340 }).catch(() => null);
  if (!opened) return null;
  const { document: page } = opened;
  page.documentElement.lang = document.documentElement.lang;
  page.title = title;
  for (const sheet of document.querySelectorAll<HTMLLinkElement | HTMLStyleElement>('link[rel="stylesheet"], style')) {
    const copy = sheet.cloneNode(true) as typeof sheet;
    // The small window is about:blank, where an address without its origin leads nowhere.
    if (sheet instanceof HTMLLinkElement) copy.setAttribute("href", sheet.href);
    page.head.append(copy);
  }
  page.body.className = "floating";
  page.body.append(content);
  opened.addEventListener("pagehide", closed, { once: true });
  return opened;
}
