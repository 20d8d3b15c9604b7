import { createRoot } from "react-dom/client";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./styles/index.css";
import { followHidden } from "./queries/hidden.ts";
import { followQuestions } from "./queries/questions.ts";
import { acceptDrops } from "./recordings/files.ts";
import { fromBase } from "./router/base.ts";
import { session } from "./session/tab-session.ts";
import { App } from "./shell/app.tsx";
import { keepFocus } from "./shell/focus.ts";
import { loadOtherScreens } from "./shell/screens.ts";
import { listenToKeys } from "./shell/shortcuts.ts";

// Browsers resolve the icon's relative address again after each navigation.
document.querySelector('link[rel="icon"]')?.setAttribute("href", fromBase("/icon.svg"));
createRoot(document.getElementById("root") as HTMLElement).render(<App />);
listenToKeys();
keepFocus();
session.followRoute();
followQuestions();
followHidden();
acceptDrops();
addEventListener("pagehide", () => session.rememberPosition());
void session.start();
// After the first screen.
setTimeout(() => void loadOtherScreens(), 2_000);
