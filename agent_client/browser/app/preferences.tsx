import { isLanguage, LANGUAGES } from "../../../signaling/browser/language";
import { APPEARANCES, appearance, setAppearance } from "./appearance";
import { language, setLanguage, t } from "./words";

/** The language and the light of the pages. */
export function Preferences() {
  return (
    <div class="preferences">
      <label>
        <span class="visually-hidden">{t("preferences.language")}</span>
        <select
          value={language.value}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            if (isLanguage(chosen)) setLanguage(chosen);
          }}
        >
          {Object.entries(LANGUAGES).map(([tag, name]) => (
            <option key={tag} value={tag} lang={tag}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="visually-hidden">{t("preferences.appearance")}</span>
        <select
          value={appearance.value}
          onChange={(event) => {
            const chosen = APPEARANCES.find((one) => one === event.currentTarget.value);
            if (chosen !== undefined) setAppearance(chosen);
          }}
        >
          {APPEARANCES.map((one) => (
            <option key={one} value={one}>
              {t(`preferences.${one}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
