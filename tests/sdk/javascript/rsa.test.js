// RSA: all algorithms, by the service and by the client with the public key.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";

import { asked, local, remote, services } from "./scene.js";

const ENCRYPTION = ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"];
const SIGNING = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
// What the client does with the public key. It takes PS256 and its like for PKCS#1 v1.5.
const LOCAL_ENCRYPTION = ["RSA1_5", "RSA-OAEP"];
const LOCAL_VERIFICATION = ["RS256", "RS384", "RS512"];

const secret = Buffer.from("plaintext");
const message = Buffer.from("message");
const hashed = (algorithm) => createHash(`sha${algorithm.slice(2)}`).update(message).digest();
const same = (one, other) => assert.deepEqual(Buffer.from(one), Buffer.from(other));

describe("rsa", () => {
  for (const [service, keys] of Object.entries(services)) {
    for (const size of [2048, 3072, 4096]) {
      // Made once, by the first case that wants it.
      let made;
      const key = () => (made ??= keys.createRsaKey(`js-rsa-${size}`, { keySize: size }));
      const which = `${service}-${size}`;

      for (const algorithm of ENCRYPTION) {
        test(`encrypting and decrypting by the service [${which}-${algorithm}]`, async () => {
          const client = await remote(await key());
          await asked(["encrypt", "decrypt"], async () => {
            const encrypted = await client.encrypt(algorithm, secret);
            assert.equal(encrypted.algorithm, algorithm);
            same((await client.decrypt(algorithm, encrypted.result)).result, secret);
          });
        });

        test(`wrapping and unwrapping by the service [${which}-${algorithm}]`, async () => {
          const client = await remote(await key());
          await asked(["wrapKey", "unwrapKey"], async () => {
            const wrapped = await client.wrapKey(algorithm, secret);
            same((await client.unwrapKey(algorithm, wrapped.result)).result, secret);
          });
        });
      }

      for (const algorithm of LOCAL_ENCRYPTION) {
        test(`decrypting what the client encrypted [${which}-${algorithm}]`, async () => {
          const client = local(await key());
          await asked(["decrypt"], async () => {
            const encrypted = await client.encrypt(algorithm, secret);
            same((await client.decrypt(algorithm, encrypted.result)).result, secret);
          });
        });

        test(`unwrapping what the client wrapped [${which}-${algorithm}]`, async () => {
          const client = local(await key());
          await asked(["unwrapKey"], async () => {
            const wrapped = await client.wrapKey(algorithm, secret);
            same((await client.unwrapKey(algorithm, wrapped.result)).result, secret);
          });
        });
      }

      for (const algorithm of SIGNING) {
        test(`signing and verifying by the service [${which}-${algorithm}]`, async () => {
          const client = await remote(await key());
          const digest = hashed(algorithm);
          const other = Buffer.from(digest).reverse();
          await asked(["sign", "verify", "verify"], async () => {
            const signature = (await client.sign(algorithm, digest)).result;
            assert.ok((await client.verify(algorithm, digest, signature)).result);
            assert.ok(!(await client.verify(algorithm, other, signature)).result);
          });
        });
      }

      for (const algorithm of LOCAL_VERIFICATION) {
        test(`verifying a message by the client [${which}-${algorithm}]`, async () => {
          const client = local(await key());
          await asked(["sign"], async () => {
            const signature = (await client.signData(algorithm, message)).result;
            assert.ok((await client.verifyData(algorithm, message, signature)).result);
            assert.ok(!(await client.verifyData(algorithm, secret, signature)).result);
          });
        });
      }
    }
  }
});
