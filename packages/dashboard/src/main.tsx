import { createRoot } from "react-dom/client";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./styles/index.css";
import { acceptDrops } from "./live/files.ts";
import { start } from "./live/follow.ts";
import { followHidden } from "./live/hidden.ts";
import { followQuestions } from "./live/questions.ts";
import { followPlace } from "./live/travel.ts";
import { App } from "./shell/app.tsx";
import { keepFocus } from "./shell/focus.ts";
import { loadOtherScreens } from "./shell/screens.ts";
import { listenToKeys } from "./shell/shortcuts.ts";

createRoot(document.getElementById("root") as HTMLElement).render(<App />);
listenToKeys();
keepFocus();
followPlace();
followQuestions();
followHidden();
acceptDrops();
void start();
// After what the viewer has come for.
setTimeout(() => void loadOtherScreens(), 2_000);
