import "../../annotate/browser/design.css";
import "./page.css";
import "./sharing.css";
import { startJoining } from "./visit";

startJoining();
