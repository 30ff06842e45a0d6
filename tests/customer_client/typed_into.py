"""A program that is controlled: `python -m tests.customer_client.typed_into` shows a window that tells what it gets.

One JSON object a line: `ready` with its window's id, `clicked`, `turned`, `selected`, `text` with all that is in it.
"""

import json
import tkinter


def tell(**said: object) -> None:
    print(json.dumps(said), flush=True)


def main() -> None:
    window = tkinter.Tk()
    window.geometry("400x300+100+50")
    window.overrideredirect(True)
    field = tkinter.Text(window, font=("DejaVu Sans", 20))
    field.pack(fill="both", expand=True)
    for button in (1, 2, 3):
        field.bind(f"<ButtonPress-{button}>", lambda e: tell(clicked=e.num, at=[e.x_root, e.y_root]), add=True)
    field.bind("<ButtonPress-4>", lambda e: tell(turned=-1), add=True)
    field.bind("<ButtonPress-5>", lambda e: tell(turned=1), add=True)

    def select(event: object) -> str:
        field.tag_add("sel", "1.0", "end")
        tell(selected=True)
        return "break"

    field.bind("<Control-a>", select)
    field.bind("<KeyRelease>", lambda e: tell(text=field.get("1.0", "end-1c")), add=True)
    field.focus_force()
    field.bind("<Map>", lambda e: window.after(50, lambda: tell(ready=int(window.wm_frame(), 16))))
    window.mainloop()


if __name__ == "__main__":
    main()
