/** The library's pages, loaded by the console when somebody first goes there. */

export { PlayerPage } from "../review/player";
export { ArticlesPage } from "./articles";
export { LibraryPage } from "./recordings";
