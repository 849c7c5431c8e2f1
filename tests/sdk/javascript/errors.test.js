// Errors of the service as the client tells them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, describe, test } from "node:test";

import { asked, clearFaults, fault, newName, refused, remote, services, vault } from "./scene.js";

const digest = createHash("sha256").update("message").digest();

/** Expects a 403 with this inner code. */
const forbidden = (inner) => (error) => {
  refused(403, "Forbidden")(error);
  assert.equal(error.details.error.innerError.code, inner);
  return true;
};

describe("errors", () => {
  afterEach(clearFaults);

  for (const [service, client] of Object.entries(services)) {
    test(`an unknown key [${service}]`, async () => {
      const name = newName();
      await assert.rejects(client.getKey(name), (error) => {
        refused(404, "KeyNotFound")(error);
        assert.ok(error.message.includes(name));
        return true;
      });
    });

    test(`an unknown version [${service}]`, async () => {
      const name = newName();
      await client.createEcKey(name);
      const version = "0".repeat(32);
      await assert.rejects(client.getKey(name, { version }), refused(404, "KeyNotFound"));
    });

    test(`a bad name [${service}]`, async () => {
      await assert.rejects(client.createEcKey("under_score"), refused(400, "BadParameter"));
    });

    test(`a size that there is not [${service}]`, async () => {
      const create = client.createRsaKey(newName(), { keySize: 1024 });
      await assert.rejects(create, { statusCode: 400 });
    });

    test(`throttling is waited out [${service}]`, async () => {
      await fault({ kind: "status", status: 429, retryAfter: 1, operation: "createKey" });
      await asked(["createKey", "createKey"], () => client.createEcKey(newName()));
    });

    test(`an outage is waited out [${service}]`, async () => {
      await fault({ kind: "status", status: 503, operation: "createKey" });
      await asked(["createKey", "createKey"], () => client.createEcKey(newName()));
    });

    test(`an algorithm that the key is not for [${service}]`, async () => {
      const key = await client.createEcKey(newName());
      await assert.rejects((await remote(key)).sign("RS256", digest), refused(400, "BadParameter"));
    });

    test(`something that nobody encrypted [${service}]`, async () => {
      const key = await client.createRsaKey(newName());
      const decrypt = (await remote(key)).decrypt("RSA-OAEP-256", Buffer.alloc(256, 1));
      await assert.rejects(decrypt, refused(400, "BadParameter"));
    });
  }

  test("a symmetric key in a vault", async () => {
    await assert.rejects(vault.createOctKey(newName()), { statusCode: 400 });
  });

  for (const [kind, inner] of [
    ["forbidden", "ForbiddenByPolicy"],
    ["forbiddenByRole", "ForbiddenByRbac"],
    ["forbiddenByFirewall", "ForbiddenByFirewall"],
  ]) {
    test(`no permission [${inner}]`, async () => {
      await fault({ kind, operation: "createKey" });
      await assert.rejects(vault.createEcKey(newName()), forbidden(inner));
    });
  }

  test("a refused token", async () => {
    await fault({ kind: "unauthorized", operation: "createKey", times: 3 });
    await assert.rejects(vault.createEcKey(newName()), { statusCode: 401 });
  });

  test("a disabled key", async () => {
    const key = await vault.createEcKey(newName(), { enabled: false });
    await assert.rejects((await remote(key)).sign("ES256", digest), forbidden("KeyDisabled"));
  });

  test("an operation that the key is not for", async () => {
    const key = await vault.createRsaKey(newName(), { keyOps: ["sign"] });
    const decrypt = (await remote(key)).decrypt("RSA-OAEP", Buffer.alloc(256));
    await assert.rejects(decrypt, forbidden("KeyOperationForbidden"));
  });
});
