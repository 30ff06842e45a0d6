/** The administration's pages, loaded by the console when somebody first goes there. */

export { AuditPage } from "./audit";
export { RetentionPage } from "./retention";
export { UsersPage } from "./users";
