import { useState } from "preact/hooks";
import { Icon } from "../app/icon";

const LONGEST = 2_000;

interface Props {
  label: string;
  submit: string;
  /** Resolves to whether it was taken; what was not stays in the field. */
  send: (text: string) => Promise<boolean>;
  disabled: boolean;
}

/** A field for one more line; Enter sends, Shift-Enter begins a new line. */
export function Composer({ label, submit, send, disabled }: Props) {
  const [text, setText] = useState("");
  const give = async (): Promise<void> => {
    const line = text.trim();
    if (line === "" || disabled) return;
    setText("");
    if (!(await send(line))) setText((typed) => (typed === "" ? line : typed));
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void give();
      }}
    >
      <textarea
        rows={1}
        maxlength={LONGEST}
        aria-label={label}
        placeholder={label}
        value={text}
        disabled={disabled}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void give();
        }}
      />
      <button type="submit" class="button primary icon" aria-label={submit} disabled={disabled || text.trim() === ""}>
        <Icon name="send" />
      </button>
    </form>
  );
}
