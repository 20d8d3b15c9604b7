import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { start } from "./live.ts";
import "./index.css";

createRoot(document.getElementById("root") as HTMLElement).render(<App />);
void start();
