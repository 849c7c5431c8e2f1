// Backups bring back a purged key with all its versions.

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { describe, test } from "node:test";

import { newName, refused, remote, services } from "./scene.js";

const message = Buffer.from("message");

function publicKey({ key }) {
  const [x, y] = [key.x, key.y].map((octets) => Buffer.from(octets).toString("base64url"));
  return createPublicKey({ key: { kty: "EC", crv: key.crv, x, y }, format: "jwk" });
}

describe("backups", () => {
  for (const [service, client] of Object.entries(services)) {
    test(`a restored key signs as before [${service}]`, async () => {
      const name = newName();
      const old = await client.createEcKey(name);
      const made = await client.createEcKey(name, { tags: { kept: "yes" } });
      const backup = await client.backupKey(name);
      await (await client.beginDeleteKey(name)).pollUntilDone();
      await client.purgeDeletedKey(name);
      const restored = await client.restoreKeyBackup(backup);
      assert.deepEqual([restored.id, restored.properties.tags], [made.id, { kept: "yes" }]);
      const { version } = old.properties;
      assert.deepEqual((await client.getKey(name, { version })).key.x, old.key.x);
      const digest = createHash("sha256").update(message).digest();
      const { result } = await (await remote(restored)).sign("ES256", digest);
      const key = { key: publicKey(made), dsaEncoding: "ieee-p1363" };
      assert.ok(verify("sha256", message, key, result));
    });

    test(`a name in use is not restored [${service}]`, async () => {
      const name = newName();
      await client.createEcKey(name);
      const backup = await client.backupKey(name);
      await assert.rejects(client.restoreKeyBackup(backup), refused(409, "Conflict"));
    });

    test(`something else is not restored [${service}]`, async () => {
      await assert.rejects(client.restoreKeyBackup(Buffer.from("no backup")), { statusCode: 400 });
    });
  }
});
