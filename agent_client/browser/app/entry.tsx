import { render } from "preact";
import "../../../annotate/browser/design.css";
import "./shell.css";
import "./appearance";
import { Shell } from "./shell";

const root = document.getElementById("root");
if (root !== null) render(<Shell />, root);
