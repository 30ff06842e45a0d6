import { useRef, useState } from "preact/hooks";
import { TOOLS, type Tool } from "../../../annotate/browser/gestures";
import { PALETTE } from "../../../annotate/browser/palette";
import { useFold } from "../app/fold";
import { Icon, type IconName } from "../app/icon";
import { t, type Word } from "../app/words";
import type { Hand } from "./hand";
import { ZOOM_STEP } from "./picture";

export const TOOL_KEYS = {
  pointer: "v",
  pen: "p",
  arrow: "a",
  box: "b",
  ellipse: "e",
  highlight: "h",
  text: "t",
  step: "n",
} as const satisfies Record<Tool, string>;

export const TOOL_WORDS = {
  pointer: "tool.pointer",
  pen: "tool.pen",
  arrow: "tool.arrow",
  box: "tool.box",
  ellipse: "tool.ellipse",
  highlight: "tool.highlight",
  text: "tool.text",
  step: "tool.step",
} as const satisfies Record<Tool, Word>;

interface ButtonProps {
  icon: IconName;
  word: Word;
  keys?: string;
  press: () => void;
  pressed?: boolean | undefined;
  disabled?: boolean;
  busy?: boolean;
}

function Button({ icon, word, keys, press, pressed, disabled = false, busy = false }: ButtonProps) {
  const title = keys === undefined ? t(word) : `${t(word)} (${keys})`;
  return (
    <button
      type="button"
      class="button quiet icon"
      title={title}
      aria-label={t(word)}
      aria-keyshortcuts={keys}
      aria-pressed={pressed}
      aria-disabled={disabled || undefined}
      aria-busy={busy || undefined}
      onClick={() => {
        if (!disabled && !busy) press();
      }}
    >
      {!busy && <Icon name={icon} />}
    </button>
  );
}

function Colors({ hand }: { hand: Hand }) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useFold(place, open, () => setOpen(false));
  const { drawing } = hand;
  const chosen = drawing.inHand();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button in here opened
    <div
      class="colors"
      ref={place}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) {
          event.stopPropagation();
          setOpen(false);
        }
      }}
    >
      <button
        type="button"
        class="button quiet icon"
        title={t("tools.color")}
        aria-label={t("tools.color")}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span class="swatch" style={{ background: chosen }} />
      </button>
      {open && (
        <div class="toolbar floating swatches">
          {PALETTE.map((color, index) => (
            <button
              key={color}
              type="button"
              class="button quiet icon small"
              aria-label={t("tools.color_number", { number: index + 1 })}
              aria-pressed={color === chosen}
              onClick={() => {
                drawing.color.value = color;
                setOpen(false);
              }}
            >
              <span class="swatch" style={{ background: color }} />
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Zoom({ hand }: { hand: Hand }) {
  const { picture } = hand;
  const scale = picture.scale.value;
  const fits = picture.view.value.scale === "fit";
  return (
    <>
      <Button icon="fit" word="tools.fit" keys="0" pressed={fits} press={() => picture.fit()} />
      <Button icon="one-to-one" word="tools.one_to_one" keys="1" press={() => picture.oneToOne()} />
      <Button icon="zoom-out" word="tools.zoom_out" keys="-" press={() => picture.zoom(1 / ZOOM_STEP)} />
      <span class="zoom number small" role="status" aria-label={t("tools.zoom")}>
        {scale === null ? "–" : `${Math.round(scale * window.devicePixelRatio * 100)} %`}
      </span>
      <Button icon="zoom-in" word="tools.zoom_in" keys="+" press={() => picture.zoom(ZOOM_STEP)} />
      <Button icon="full-screen" word="tools.full_screen" press={() => hand.toggleFullScreen()} />
    </>
  );
}

/** The bar at the bottom: the tool in hand is plain to see. */
export function ToolBar({ hand }: { hand: Hand }) {
  const { drawing, still, live } = hand;
  const frozen = live.session.value.shown !== null;
  return (
    <div class="toolbar floating tool-bar" role="toolbar" aria-label={t("tools.label")}>
      {TOOLS.map((tool) => (
        <Button
          key={tool}
          icon={tool}
          word={TOOL_WORDS[tool]}
          keys={TOOL_KEYS[tool]}
          pressed={drawing.tool.value === tool}
          press={() => {
            drawing.tool.value = tool;
          }}
        />
      ))}
      <Colors hand={hand} />
      <Button
        icon={drawing.fade.value ? "fade" : "stay"}
        word={drawing.fade.value ? "tools.fade" : "tools.stay"}
        keys="d"
        pressed={drawing.fade.value}
        press={() => {
          drawing.fade.value = !drawing.fade.value;
        }}
      />
      <hr />
      <Button
        icon="undo"
        word="tools.undo"
        keys="Control+Z"
        disabled={!drawing.canUndo.value}
        press={() => drawing.undo()}
      />
      <Button
        icon="redo"
        word="tools.redo"
        keys="Control+Shift+Z"
        disabled={!drawing.canRedo.value}
        press={() => drawing.redo()}
      />
      <Clear hand={hand} />
      <hr />
      {!live.pictures.value && (
        <>
          <Button
            icon={frozen ? "play" : "freeze"}
            word={frozen ? "tools.unfreeze" : "tools.freeze"}
            keys="f"
            pressed={frozen}
            busy={still.freezing.value}
            press={() => void still.toggleFreeze()}
          />
          <Button
            icon="camera"
            word="tools.snapshot"
            keys="s"
            busy={still.asking.value}
            press={() => void still.snapshot()}
          />
        </>
      )}
      <Button icon="bookmark" word="tools.bookmark" keys="m" press={() => hand.bookmark()} />
      <hr />
      <Zoom hand={hand} />
    </div>
  );
}

function Clear({ hand }: { hand: Hand }) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useFold(place, open, () => setOpen(false));
  const { drawing } = hand;
  const choose = (clear: () => void): void => {
    clear();
    setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button in here opened
    <div
      class="colors"
      ref={place}
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) {
          event.stopPropagation();
          setOpen(false);
        }
      }}
    >
      <button
        type="button"
        class="button quiet icon"
        title={t("tools.clear")}
        aria-label={t("tools.clear")}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="trash" />
      </button>
      {open && (
        <ul class="menu upward">
          <li>
            <button type="button" onClick={() => choose(() => drawing.clearMine())}>
              <span class="grow">{t("tools.clear_mine")}</span> <kbd>Del</kbd>
            </button>
          </li>
          <li>
            <button type="button" onClick={() => choose(() => drawing.clearAll())}>
              <span class="grow">{t("tools.clear_all")}</span> <kbd>Shift Del</kbd>
            </button>
          </li>
        </ul>
      )}
    </div>
  );
}
