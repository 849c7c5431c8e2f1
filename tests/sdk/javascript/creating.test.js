// Making keys of every type, size and curve.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { all, hsm, newName, services, vault } from "./scene.js";

const COORDINATES = { "P-256": 32, "P-256K": 32, "P-384": 48, "P-521": 66 };

describe("creating", () => {
  for (const size of [2048, 3072, 4096]) {
    for (const [place, inHardware] of [["software", false], ["hardware", true]]) {
      test(`rsa in a vault [${size}-${place}]`, async () => {
        const key = await vault.createRsaKey(newName(), { keySize: size, hsm: inHardware });
        assert.equal(key.keyType, inHardware ? "RSA-HSM" : "RSA");
        assert.equal(key.key.n.length, size / 8);
        assert.deepEqual([...key.key.e], [1, 0, 1]);
        const operations = ["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"];
        assert.deepEqual([...key.keyOperations].sort(), operations);
      });
    }
    test(`rsa in a managed hsm [${size}]`, async () => {
      const key = await hsm.createRsaKey(newName(), { keySize: size });
      assert.deepEqual([key.keyType, key.key.n.length], ["RSA-HSM", size / 8]);
    });
  }

  for (const [curve, length] of Object.entries(COORDINATES)) {
    for (const [place, inHardware] of [["software", false], ["hardware", true]]) {
      test(`ec in a vault [${curve}-${place}]`, async () => {
        const key = await vault.createEcKey(newName(), { curve, hsm: inHardware });
        assert.deepEqual([key.keyType, key.key.crv], [inHardware ? "EC-HSM" : "EC", curve]);
        assert.deepEqual([key.key.x.length, key.key.y.length], [length, length]);
      });
    }
    test(`ec in a managed hsm [${curve}]`, async () => {
      const key = await hsm.createEcKey(newName(), { curve });
      assert.deepEqual([key.keyType, key.key.crv], ["EC-HSM", curve]);
    });
  }

  for (const size of [128, 192, 256]) {
    test(`symmetric in a managed hsm [${size}]`, async () => {
      const key = await hsm.createOctKey(newName(), { keySize: size, hsm: true });
      assert.deepEqual([key.keyType, key.key.k], ["oct-HSM", undefined]);
    });
  }

  for (const [service, client] of Object.entries(services)) {
    test(`attributes are kept [${service}]`, async () => {
      const name = newName();
      const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000);
      const wanted = {
        enabled: false,
        notBefore: soon,
        expiresOn: new Date(soon.getTime() + 86_400_000),
        tags: { purpose: "test", größe: "ß" },
      };
      const made = await client.createEcKey(name, { ...wanted, keyOps: ["verify"] });
      const updated = await client.updateKeyProperties(name, {});
      for (const { properties } of [made, updated]) {
        const { enabled, notBefore, expiresOn, tags } = properties;
        assert.deepEqual({ enabled, notBefore, expiresOn, tags }, wanted);
      }
      assert.deepEqual(made.keyOperations, ["verify"]);
      assert.ok(Math.abs(made.properties.createdOn - new Date()) < 300_000);
    });

    test(`a name in use gets a new version [${service}]`, async () => {
      const name = newName();
      const [old, made] = [await client.createEcKey(name), await client.createEcKey(name)];
      assert.notEqual(made.properties.version, old.properties.version);
      assert.equal((await client.getKey(name)).id, made.id);
      const found = await client.getKey(name, { version: old.properties.version });
      assert.deepEqual(found.key.x, old.key.x);
      assert.equal((await all(client.listPropertiesOfKeyVersions(name))).length, 2);
    });
  }
});
