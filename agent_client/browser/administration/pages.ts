/** The administration's pages, loaded by the console when somebody first goes there. */

export { UsersPage } from "./users";
