// Holds the write lock of a SQLite file, as another program would, until it is killed.
import { DatabaseSync } from "node:sqlite";

const [file = ""] = process.argv.slice(2);
const db = new DatabaseSync(file);
db.exec("BEGIN EXCLUSIVE");
console.log("locked");
setInterval(() => db.isTransaction, 60_000);
