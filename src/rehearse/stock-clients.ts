/** The list of stock clients that a rehearsal can run. */
import { apt } from "./apt.ts";
import { dnf } from "./dnf.ts";
import { gpg, gpgv } from "./gnupg.ts";
import { opkg } from "./opkg.ts";
import { pacman } from "./pacman.ts";
import { pkgAdmin } from "./pkg-admin.ts";
import { sqv } from "./sqv.ts";
import type { StockClient } from "./stock-client.ts";
import { zypper } from "./zypper.ts";

export const stockClients: readonly StockClient[] = [gpgv, gpg, sqv, opkg, pkgAdmin, apt, dnf, zypper, pacman];
