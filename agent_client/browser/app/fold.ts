import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** Closes what `element` has opened as soon as somebody points or goes elsewhere. */
export function useFold(element: RefObject<HTMLElement | null>, open: boolean, close: () => void): void {
  useEffect(() => {
    if (!open) return undefined;
    const elsewhere = (event: Event): void => {
      if (event.target instanceof Node && element.current?.contains(event.target) === false) close();
    };
    for (const type of ["pointerdown", "focusin"]) document.addEventListener(type, elsewhere, true);
    return () => {
      for (const type of ["pointerdown", "focusin"]) document.removeEventListener(type, elsewhere, true);
    };
  }, [open]);
}
