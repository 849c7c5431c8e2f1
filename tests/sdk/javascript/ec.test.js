// ECDSA on all curves.

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { describe, test } from "node:test";

import { asked, newName, remote, services } from "./scene.js";

const CURVES = {
  "P-256": ["ES256", "sha256"],
  "P-256K": ["ES256K", "sha256"],
  "P-384": ["ES384", "sha384"],
  "P-521": ["ES512", "sha512"],
};

const message = Buffer.from("message");

function publicKey({ key }) {
  const [x, y] = [key.x, key.y].map((octets) => Buffer.from(octets).toString("base64url"));
  const crv = key.crv === "P-256K" ? "secp256k1" : key.crv;
  return createPublicKey({ key: { kty: "EC", crv, x, y }, format: "jwk" });
}

describe("ec", () => {
  for (const [service, keys] of Object.entries(services)) {
    for (const [curve, [algorithm, hash]] of Object.entries(CURVES)) {
      test(`signing and verifying by the service [${service}-${curve}]`, async () => {
        const key = await keys.createEcKey(newName(), { curve });
        const client = await remote(key);
        const digest = createHash(hash).update(message).digest();
        const other = Buffer.from(digest).reverse();
        await asked(["sign", "verify", "verify"], async () => {
          const signature = (await client.sign(algorithm, digest)).result;
          assert.ok((await client.verify(algorithm, digest, signature)).result);
          assert.ok(!(await client.verify(algorithm, other, signature)).result);
        });
      });

      test(`signing a message [${service}-${curve}]`, async () => {
        const key = await keys.createEcKey(newName(), { curve });
        const { result } = await (await remote(key)).signData(algorithm, message);
        const original = { key: publicKey(key), dsaEncoding: "ieee-p1363" };
        assert.ok(verify(hash, message, original, result));
      });
    }
  }
});
