// The embedded vault as the programs see it: addresses, an application, its control interface, and
// clients. See xtask/src/sdk/scene.rs.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ClientSecretCredential } from "@azure/identity";
import { CertificateClient } from "@azure/keyvault-certificates";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";

export const scene = JSON.parse(readFileSync(process.env.AKV_SDK_SCENE, "utf8"));

/** The path of a certificate with its private key, as `pem` or `pfx`. */
export const certificate = (name, form) => join(scene.certificates, `${name}.${form}`);

const { tenant, client, secret } = scene.application;
export const credential = new ClientSecretCredential(tenant, client, secret);

export const vault = new KeyClient(scene.vault, credential);
export const hsm = new KeyClient(scene.hsm, credential);
export const certificates = new CertificateClient(scene.vault, credential);

/** The keys of a vault, and those of a Managed HSM. */
export const services = { vault, hsm };

/** A name that nothing else has. */
export const newName = () => `sdk-${randomUUID()}`;

/** What a list gives, whole. */
export async function all(list) {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
}

/** How many items each page of a list has, and the items. */
export async function pages(list, settings) {
  const sizes = [];
  const items = [];
  for await (const page of list.byPage(settings)) {
    sizes.push(page.length);
    items.push(...page);
  }
  return { sizes, items };
}

async function control(method, path, body) {
  const answer = await fetch(`${scene.control}/${path}`, { method, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

/** Has the next matching request meet a fault. */
export const fault = (fault) => control("POST", "faults", fault);

/** Takes back the faults that nothing has met. */
export const clearFaults = () => control("DELETE", "faults");

/** Expects that the service is asked for exactly these while `work` runs, besides reading keys. */
export async function asked(operations, work) {
  const before = (await control("GET", "stats")).operations;
  const result = await work();
  const after = (await control("GET", "stats")).operations;
  const done = Object.entries(after)
    .filter(([name]) => name !== "getKey" && name !== "token")
    .flatMap(([name, count]) => Array(count - (before[name] ?? 0)).fill(name));
  assert.deepEqual(done.sort(), [...operations].sort());
  return result;
}

/** A client that cannot read the key, and so leaves all cryptography to the service. */
export async function remote(key) {
  await fault({ kind: "forbidden", operation: "getKey" });
  return new CryptographyClient(key.id, credential);
}

/** A client that has the public key, and uses it where that is enough. */
export const local = (key) => new CryptographyClient(key, credential);

/** Expects a refusal of the service with this status and code. */
export const refused = (statusCode, code) => (error) => {
  assert.equal(error.statusCode, statusCode, error.message);
  assert.equal(error.code, code, error.message);
  return true;
};
