// Keys that were made elsewhere.

import assert from "node:assert/strict";
import {
  createDecipheriv,
  createHash,
  generateKeyPairSync,
  randomBytes,
  verify,
} from "node:crypto";
import { describe, test } from "node:test";

import { hsm, newName, remote, services, vault } from "./scene.js";

const CURVES = {
  "P-256": ["prime256v1", "ES256", "sha256"],
  "P-256K": ["secp256k1", "ES256K", "sha256"],
  "P-384": ["secp384r1", "ES384", "sha384"],
  "P-521": ["secp521r1", "ES512", "sha512"],
};

/** A private key as the client wants it: octets instead of base64url. */
function jwk(key, crv) {
  const { kty, crv: _, ...members } = key.export({ format: "jwk" });
  const octets = Object.entries(members).map(([name, text]) => {
    return [name, Buffer.from(text, "base64url")];
  });
  return { kty, ...(crv && { crv }), ...Object.fromEntries(octets) };
}

const message = Buffer.from("message");
const digest = (hash) => createHash(hash).update(message).digest();

describe("importing", () => {
  for (const [service, client] of Object.entries(services)) {
    for (const size of [2048, 3072, 4096]) {
      test(`rsa [${service}-${size}]`, async () => {
        const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: size });
        const key = jwk(privateKey);
        const imported = await client.importKey(newName(), key);
        assert.deepEqual(Buffer.from(imported.key.n), key.n);
        assert.equal(imported.key.d, undefined, "the private part is not told");
        const { result } = await (await remote(imported)).sign("RS256", digest("sha256"));
        assert.ok(verify("sha256", message, publicKey, result));
      });
    }
    for (const [crv, [namedCurve, algorithm, hash]] of Object.entries(CURVES)) {
      test(`ec [${service}-${crv}]`, async () => {
        const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
        const imported = await client.importKey(newName(), jwk(privateKey, crv));
        const { result } = await (await remote(imported)).sign(algorithm, digest(hash));
        assert.ok(verify(hash, message, { key: publicKey, dsaEncoding: "ieee-p1363" }, result));
      });
    }
  }

  for (const size of [128, 192, 256]) {
    test(`symmetric [${size}]`, async () => {
      const k = randomBytes(size / 8);
      const key = { kty: "oct-HSM", k, keyOps: ["encrypt", "decrypt"] };
      const imported = await hsm.importKey(newName(), key, { hardwareProtected: true });
      assert.equal(imported.key.k, undefined);
      const algorithm = `A${size}GCM`;
      const client = await remote(imported);
      const sealed = await client.encrypt({ algorithm, plaintext: Buffer.from("plaintext") });
      const aes = createDecipheriv(`aes-${size}-gcm`, k, sealed.iv.subarray(0, 12));
      aes.setAuthTag(sealed.authenticationTag);
      const plaintext = Buffer.concat([aes.update(sealed.result), aes.final()]);
      assert.equal(plaintext.toString(), "plaintext");
    });
  }

  test("into the hardware of a vault", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const imported = await vault.importKey(newName(), jwk(privateKey), { hardwareProtected: true });
    assert.equal(imported.keyType, "RSA-HSM");
  });
});
