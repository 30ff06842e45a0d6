import { type Drawing, ICONS } from "../../../annotate/browser/icons";

const SHIELD = "M12 3l7.5 2.7v5.6c0 4.5-2.9 7.8-7.5 9.7-4.6-1.9-7.5-5.2-7.5-9.7V5.7z";

/** The signs on the player's buttons; the words are on the buttons themselves, for those who don't see them. */
const DRAWINGS = {
  play: ICONS.play,
  pause: ICONS.pause,
  ink: ICONS.pen,
  full: ICONS["full-screen"],
  frame_back: { line: "M16 5.5v13L7 12zM5 5.5v13" },
  frame_on: { line: "M8 5.5v13L17 12zM19 5.5v13" },
  back: { line: "M12 5.5v13L3.5 12zM20.5 5.5v13L12 12z" },
  on: { line: "M12 5.5v13l8.5-6.5zM3.5 5.5v13L12 12z" },
  sound: {
    line: "M4 9.5v5h3.5L12 18.500v-13L7.500 9.500zM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a7.800 7.800 0 0 1 0 11",
  },
  silence: { line: "M4 9.5v5h3.500L12 18.500v-13L7.500 9.500zM16 9.500l5 5M21 9.500l-5 5" },
  lock: { line: "M6 10.500h12v9.500H6zM8.500 10.500V7.500a3.500 3.500 0 0 1 7 0v3" },
  save: { line: "M12 4v11M7.500 10.500L12 15l4.500-4.500M4.500 19.500h15" },
  cut: { line: "M8 4H4v16h4M16 4h4v16h-4M12 8v8" },
  shield: { line: SHIELD },
  shield_check: { line: `${SHIELD}M8.5 11.8l2.5 2.5 4.5-4.8` },
  shield_cross: { line: `${SHIELD}M9.5 9.2l5 5M14.5 9.2l-5 5` },
  shield_open: { line: `${SHIELD}M12 8v4.5M12 15.5v.1` },
} satisfies Record<string, Drawing>;

export type Sign = keyof typeof DRAWINGS;

export function Icon({ sign }: { sign: Sign }) {
  const { line }: Drawing = DRAWINGS[sign];
  return (
    <svg class="icon-svg" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={line}
        fill="none"
        stroke="currentColor"
        stroke-width="1.75"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
