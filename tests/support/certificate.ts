import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { installed } from "./installed.ts";

/** Where a certificate and its key lie. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a self-signed certificate for localhost and 127.0.0.1 in `folder`, with OpenSSL. */
export async function selfSignedCertificate(folder: string): Promise<Certificate> {
  const made = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
  await promisify(execFile)(installed("/usr/bin/openssl", "openssl"), [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost".split(" "),
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", made.key, "-out", made.certificate],
  ]);
  return made;
}
