// AES and HMAC with keys of a Managed HSM.

import assert from "node:assert/strict";
import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { describe, test } from "node:test";

import { asked, hsm, newName, refused, remote } from "./scene.js";

const TEXTS = { CBC: "whole blocks of 16 bytes each...", CBCPAD: "plaintext" };
const iv = Buffer.from([...Array(16).keys()]);
const same = (one, other) => assert.deepEqual(Buffer.from(one), Buffer.from(other));

/** A key in the HSM whose octets are known: what the service does can be done again here. */
async function known(octets, keyOps) {
  const k = randomBytes(octets);
  const key = await hsm.importKey(newName(), { kty: "oct-HSM", k, keyOps });
  return { k, client: await remote(key) };
}

describe("symmetric", () => {
  for (const size of [128, 192, 256]) {
    for (const [mode, text] of Object.entries(TEXTS)) {
      test(`cbc [A${size}${mode}]`, async () => {
        const { k, client } = await known(size / 8, ["encrypt", "decrypt"]);
        const [algorithm, plaintext] = [`A${size}${mode}`, Buffer.from(text)];
        await asked(["encrypt", "decrypt"], async () => {
          const encrypted = await client.encrypt({ algorithm, plaintext, iv });
          const aes = createCipheriv(`aes-${size}-cbc`, k, iv).setAutoPadding(mode === "CBCPAD");
          same(encrypted.result, Buffer.concat([aes.update(plaintext), aes.final()]));
          const ciphertext = encrypted.result;
          same((await client.decrypt({ algorithm, ciphertext, iv })).result, plaintext);
        });
      });
    }

    for (const additionalAuthenticatedData of [undefined, Buffer.from("additional")]) {
      const what = additionalAuthenticatedData ? "with data" : "bare";
      test(`gcm [A${size}GCM-${what}]`, async () => {
        const { client } = await known(size / 8, ["encrypt", "decrypt"]);
        const [algorithm, plaintext] = [`A${size}GCM`, Buffer.from("plaintext")];
        const wanted = { algorithm, plaintext, additionalAuthenticatedData };
        const { result: ciphertext, iv, authenticationTag } = await client.encrypt(wanted);
        const sealed = { algorithm, ciphertext, iv, authenticationTag };
        const opened = await client.decrypt({ ...sealed, additionalAuthenticatedData });
        same(opened.result, plaintext);
        const other = { ...sealed, additionalAuthenticatedData: Buffer.from("other") };
        await assert.rejects(client.decrypt(other), refused(400, "BadParameter"));
      });
    }

    test(`key wrap [A${size}KW]`, async () => {
      const { k, client } = await known(size / 8, ["wrapKey", "unwrapKey"]);
      const [algorithm, secret] = [`A${size}KW`, randomBytes(32)];
      await asked(["wrapKey", "unwrapKey"], async () => {
        const wrapped = (await client.wrapKey(algorithm, secret)).result;
        const aes = createCipheriv(`id-aes${size}-wrap`, k, Buffer.alloc(8, 0xa6));
        same(wrapped, Buffer.concat([aes.update(secret), aes.final()]));
        same((await client.unwrapKey(algorithm, wrapped)).result, secret);
      });
    });
  }

  for (const bits of [256, 384, 512]) {
    test(`hmac [HS${bits}]`, async () => {
      const { k, client } = await known(32, ["sign", "verify"]);
      const digest = createHash(`sha${bits}`).update("message").digest();
      const other = Buffer.from(digest).reverse();
      await asked(["sign", "verify", "verify"], async () => {
        const signature = (await client.sign(`HS${bits}`, digest)).result;
        same(signature, createHmac(`sha${bits}`, k).update(digest).digest());
        assert.ok((await client.verify(`HS${bits}`, digest, signature)).result);
        assert.ok(!(await client.verify(`HS${bits}`, other, signature)).result);
      });
    });
  }
});
